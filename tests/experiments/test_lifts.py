"""Lifts: published numbers, and a reason wherever there is no number."""

from __future__ import annotations

import datetime

import ibis
import pytest

from hustings.errors import DesignError
from hustings.experiments.arms import shares
from hustings.experiments.experiments import check_experiments
from hustings.experiments.lifts import measure_lifts

DAY = datetime.date(2026, 7, 1)
NAMES = ("person_id", "arm", "unit_id", "experiment", "block_id", "assigned_on", "contacted")


def assigned(arms: str, experiment: str = "t") -> ibis.Table:
    schema = dict.fromkeys(NAMES, "string") | {"assigned_on": "date", "contacted": "boolean"}
    rows = [
        {
            "person_id": str(i),
            "arm": arm,
            "unit_id": f"u{i}",
            "experiment": experiment,
            "block_id": None,
            "assigned_on": None,
            "contacted": None,
        }
        for i, arm in enumerate(arms)
    ]
    return ibis.memtable(rows, schema=schema)


def outcomes(values: dict[str, float], outcome: str = "voted") -> ibis.Table:
    return ibis.memtable(
        {
            "person_id": list(values),
            "outcome": [outcome] * len(values),
            "value": [float(v) for v in values.values()],
        },
        schema={"person_id": "string", "outcome": "string", "value": "float64"},
    )


def as_rows(columns: dict) -> list[dict]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*map(list, columns.values()), strict=True)]


def lifts(arms: str, values: dict[str, float], estimator: str = "intention_to_treat", **more) -> list[dict]:
    given = {"experiment": "t", "control": "c", "measured_by": ["voted"], "as_of": DAY} | more
    found = measure_lifts(assigned(arms), outcomes(values), None, **given)["lifts"]
    return [row for row in as_rows(found) if row["estimator"] == estimator]


def is_empty(row: dict) -> bool:
    return all(row[name] is None for name in ("estimate", "std_error", "low", "high"))


def test_a_lift_by_hand():
    (row,) = lifts("ccccaaaa", {"0": 0, "1": 1, "2": 0, "3": 0, "4": 1, "5": 1, "6": 0, "7": 1})
    assert row["estimate"] == pytest.approx(0.5)
    assert (row["n_control"], row["n_arm"], row["reason"]) == (4, 4, None)
    # Each arm: variance 3/16 of the outcome, over 4 people, times 4/3.
    assert row["std_error"] == pytest.approx((2 * 3 / 16 / 4 * 4 / 3) ** 0.5)


def test_an_arm_without_control_is_refused_with_its_reason():
    rows = lifts("aabb", {"0": 0, "1": 1, "2": 0, "3": 1})
    assert [row["arm"] for row in rows] == ["a", "b"]
    assert all(is_empty(row) and "control" in row["reason"] for row in rows)


def test_a_test_of_one_arm_has_nothing_to_compare():
    (row,) = lifts("cccc", {"0": 0, "1": 1})
    assert is_empty(row)
    assert "nothing to compare" in row["reason"]


def test_an_outcome_that_nobody_has_is_no_zero():
    rows = lifts("ccaa", {})
    assert is_empty(rows[0])
    assert rows[0]["reason"] == "nobody has the outcome voted"


def test_one_person_in_an_arm_is_no_number():
    (row,) = lifts("ccca", {"0": 0, "1": 1, "2": 0, "3": 1})
    assert is_empty(row)
    assert row["reason"]


def test_several_outcomes_are_each_read():
    rows = lifts("ccaa", {"0": 0, "1": 1, "2": 1, "3": 0}, measured_by=["voted", "gave"])
    assert [row["outcome"] for row in rows] == ["voted", "gave"]
    assert "gave" in rows[1]["reason"]


def test_planned_shares_must_name_every_arm():
    assert shares({}, ["c"]) is None
    with pytest.raises(DesignError, match="did you mean 'Self'"):
        shares({"Self": 1, "c": 1}, ["c", "Selv"])
    with pytest.raises(DesignError, match="above 0"):
        shares({"a": 0, "c": 1}, ["c", "a"])


def checked(arms: str, planned: dict[str, float]) -> list[dict]:
    features = ibis.memtable(
        {"person_id": [str(i) for i in range(len(arms))], "as_of": [datetime.date(2026, 7, 1)] * len(arms)}
    )
    columns = {"party": "string", "vote_pattern": "string", "is_female": "boolean", "age": "float64"}
    from hustings.tables import spec

    for name in spec("features").names:
        if name not in features.columns:
            features = features.mutate(**{name: ibis.null(columns.get(name, "float64"))})
    features = features.mutate(age=features.person_id.cast("float64") % 7)
    found = check_experiments(
        assigned(arms),
        features,
        ibis.memtable({"experiment": ["t"], "n_two_arms": [0]}),
        outcomes({}),
        experiment="t",
        control="c",
        as_of=DAY,
        measured_by=["voted"],
        unit="person",
        planned_shares=planned,
    )["experiments"]
    return as_rows(found)


def test_arms_of_the_wrong_size_are_found_out():
    sound = checked("c" * 100 + "a" * 100, {"c": 1, "a": 1})
    off = checked("c" * 140 + "a" * 60, {"c": 1, "a": 1})
    assert sound[0]["p_sample_ratio"] == pytest.approx(1.0)
    assert off[0]["p_sample_ratio"] < 0.001


def test_an_arm_that_was_planned_and_got_nobody_is_found_out():
    rows = checked("c" * 100 + "a" * 100, {"c": 1, "a": 1, "b": 1})
    assert rows[0]["p_sample_ratio"] < 1e-6
    assert [row["planned_share"] for row in rows] == pytest.approx([1 / 3, 1 / 3])


@pytest.mark.parametrize("arms", ["c", "a", "ca", "cca", "ab"])
def test_a_test_of_a_few_people_is_described_and_never_stops_the_run(arms):
    rows = checked(arms, {"c": 1, "a": 1, "b": 1})
    assert sum(row["n_people"] for row in rows) == len(arms)
    assert all(row["p_balance"] is None or 0 <= row["p_balance"] <= 1 for row in rows)


def test_without_planned_shares_the_ratio_is_not_checked_and_says_so():
    row = checked("ccaa", {})[0]
    assert row["p_sample_ratio"] is None
    assert "planned_shares" in row["reason"]


def test_michigan_gives_the_published_lifts(michigan, rows):
    """Gerber, Green & Larimer (2008), table 2; errors clustered by household."""
    published = {
        "Civic Duty": (1.79, 0.324, 38_218),
        "Hawthorne": (2.57, 0.326, 38_204),
        "Self": (4.85, 0.330, 38_218),
        "Neighbors": (8.13, 0.337, 38_201),
    }
    found = {row["arm"]: row for row in rows(michigan, "lifts") if row["estimator"] == "intention_to_treat"}
    assert set(found) == set(published)
    for arm, (points, error, n) in published.items():
        assert round(100 * found[arm]["estimate"], 2) == points
        assert round(100 * found[arm]["std_error"], 3) == error
        assert (found[arm]["n_arm"], found[arm]["n_control"]) == (n, 191_243)


def test_michigan_has_its_households_and_one_arm_in_each(michigan, rows):
    assert len(rows(michigan, "households")) == 180_002
