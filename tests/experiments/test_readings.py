"""Every reading of an outcome says why where it cannot; bad input never becomes a plausible number."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.experiments.lifts import measure_lifts
from hustings.experiments.readings import ESTIMATORS
from hustings.tables import spec

DAY = datetime.date(2026, 7, 1)
TEXTS = {"party": "string", "vote_pattern": "string", "person_id": "string", "as_of": "date"}


def trial(n: int = 400, arms: tuple[str, ...] = ("c", "a"), assigned_on=DAY, **columns) -> dict:
    """Households of two, drawn in turn; an outcome that age foretells."""
    rng = np.random.default_rng(1)
    home = np.arange(n) // 2
    arm = np.array(arms, dtype=object)[rng.permutation(np.arange(n) % (2 * len(arms)) // 2)[home * 2]]
    age = 20 + 60 * rng.random(n)
    value = (rng.random(n) < age / 100 + 0.1 * (arm == arms[-1])).astype(float)
    return {"arm": arm, "home": home, "age": age, "value": value, "assigned_on": assigned_on} | columns


def tables(given: dict) -> tuple[ibis.Table, ibis.Table, ibis.Table]:
    n = len(given["arm"])
    people = [f"p{i:05}" for i in range(n)]
    assigned = {
        "person_id": people,
        "arm": list(given["arm"]),
        "unit_id": [f"h{h}" for h in given["home"]],
        "experiment": ["t"] * n,
        "block_id": list(given.get("block", [None] * n)),
        "assigned_on": [given["assigned_on"]] * n,
        "contacted": list(given.get("contacted", [None] * n)),
    }
    kinds = dict.fromkeys(assigned, "string") | {"assigned_on": "date", "contacted": "boolean"}
    known = ~np.isnan(given["value"])
    told = {
        "person_id": [p for p, k in zip(people, known, strict=True) if k],
        "outcome": ["voted"] * int(known.sum()),
        "value": given["value"][known].tolist(),
        "happened_on": [datetime.date(2026, 8, 4)] * int(known.sum()),
    }
    told = {name: told[name] + list(given.get("more", {}).get(name, [])) for name in told}
    outcomes = ibis.memtable(
        told, schema={"person_id": "string", "outcome": "string", "value": "float64", "happened_on": "date"}
    )
    features = ibis.memtable({"person_id": people, "as_of": [DAY] * n, "age": given["age"].tolist()})
    for name in spec("features").names:
        if name not in features.columns:
            features = features.mutate(**{name: ibis.null(TEXTS.get(name, "float64"))})
    return ibis.memtable(assigned, schema=kinds), outcomes, features


def read(given: dict, **more) -> dict[tuple[str, str], dict]:
    settings = {"experiment": "t", "control": "c", "measured_by": ["voted"], "as_of": DAY} | more
    found = measure_lifts(*tables(given), **settings)["lifts"]
    rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    return {(row["arm"], row["estimator"]): row for row in rows}


def is_empty(row: dict) -> bool:
    numbers = ("estimate", "std_error", "low", "high", "p_value", "q_value")
    return all(row[name] is None for name in numbers) and bool(row["reason"])


def test_a_sound_test_is_read_in_five_ways():
    n = 400
    given = trial(block=["x" if i // 2 % 2 else "y" for i in range(n)])
    reached = (given["arm"] == "a") & (np.arange(n) % 3 > 0)
    found = read(given | {"contacted": [bool(r) for r in reached]})
    assert {estimator for _, estimator in found} == set(ESTIMATORS)
    rows = {estimator: found["a", estimator] for estimator in ESTIMATORS}
    assert all(row["low"] < row["estimate"] < row["high"] for row in rows.values())
    assert rows["contacted"]["estimate"] > rows["intention_to_treat"]["estimate"]
    assert rows["adjusted"]["std_error"] < rows["intention_to_treat"]["std_error"]
    assert rows["anytime"]["high"] > rows["intention_to_treat"]["high"]
    assert {row["unit"] for row in rows.values()} == {"share"}


def test_q_values_count_all_arms_and_outcomes():
    arms = ("c", *(f"a{i}" for i in range(9)))
    found = [row for (_, e), row in read(trial(n=2_000, arms=arms)).items() if e == "intention_to_treat"]
    p = np.array([row["p_value"] for row in found])
    q = np.array([row["q_value"] for row in found])
    assert np.all(q >= p)
    assert q.min() == pytest.approx(min(1, (np.sort(p) * 9 / np.arange(1, 10)).min()))


def test_ten_treated_people_are_read_plainly_and_not_adjusted():
    given = trial()
    given["arm"] = np.where(np.arange(400) < 10, "a", "c").astype(object)
    given["home"] = np.arange(400)
    found = read(given)
    assert found["a", "intention_to_treat"]["n_arm"] == 10
    assert found["a", "intention_to_treat"]["estimate"] is not None
    assert found["a", "adjusted"]["reason"].startswith("the smallest arm has 10 units, too few")
    assert is_empty(found["a", "adjusted"])


def test_where_everyone_is_treated_nothing_is_read():
    found = read(trial(arms=("a", "a")))
    assert all(is_empty(row) for row in found.values())
    assert found["a", "intention_to_treat"]["reason"] == "control is empty"


def test_three_hundred_arms_are_read():
    arms = ("c", *(f"a{i}" for i in range(299)))
    found = read(trial(n=6_000, arms=arms))
    assert len(found) == 299 * len(ESTIMATORS)
    calls = [
        row["q_value"]
        for (_, e), row in found.items()
        if e == "intention_to_treat" and row["q_value"] is not None
    ]
    assert np.mean(np.array(calls) < 0.05) < 0.05


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_outcome_of_one_class_is_no_effect_of_zero(value):
    found = read(trial(value=np.full(400, value)))
    assert all(is_empty(row) for row in found.values())
    assert "does not vary" in found["a", "intention_to_treat"]["reason"]


def test_infinite_amounts_are_refused_with_their_number():
    given = trial()
    given["value"][:3] = np.inf
    found = read(given)
    assert all(is_empty(row) for row in found.values())
    assert found["a", "anytime"]["reason"] == "3 people have an infinite voted"


def test_a_covariate_measured_after_the_draw_is_refused_with_the_number_of_people():
    late = {"person_id": ["p00001", "p00002"], "outcome": ["mood"] * 2, "value": [1.0, 2.0]}
    more = {**late, "happened_on": [DAY, datetime.date(2026, 6, 1)]}
    found = read(trial(more=more), adjust_for=["age", "mood"])
    assert is_empty(found["a", "adjusted"])
    assert (
        "mood was measured on the day of the draw or later for 1 people" in found["a", "adjusted"]["reason"]
    )
    assert "voted was measured" in read(trial(), adjust_for=["voted"])["a", "adjusted"]["reason"]


def test_an_earlier_outcome_is_adjusted_for():
    given = trial()
    people = [f"p{i:05}" for i in range(400)]
    before = {"person_id": people, "outcome": ["before"] * 400, "value": given["value"].tolist()}
    more = before | {"happened_on": [datetime.date(2026, 6, 1)] * 400}
    found = read(given | {"more": more}, adjust_for=["before"])["a", "adjusted"]
    # It foretells the outcome wholly: nothing is left that the arm could have done.
    assert found["estimate"] is None or abs(found["estimate"]) < 1e-9


def test_a_covariate_that_nobody_knows_is_named_with_its_like():
    with pytest.raises(DesignError, match="did you mean 'age'"):
        read(trial(), adjust_for=["ages"])


def test_without_the_day_of_the_draw_nothing_is_known_to_come_before_it():
    found = read(trial(assigned_on=None))
    assert "the day of the draw is not known for 400 people" in found["a", "adjusted"]["reason"]
    assert found["a", "intention_to_treat"]["estimate"] is not None


def test_few_units_are_not_read_at_any_time():
    given = trial(n=30)
    assert "too few to be read at any time" in read(given | {"home": np.arange(30)})["a", "anytime"]["reason"]


def test_a_test_sealed_by_size_opens_when_the_size_is_reached():
    sealed, opened = (read(trial(), read_at=n)["a", "intention_to_treat"] for n in (401, 400))
    assert is_empty(sealed)
    assert sealed["reason"] == "sealed until the outcome of 401 people is known (400 now)"
    assert opened["estimate"] is not None


def test_outcomes_missing_more_often_in_one_arm_are_found_and_bounded():
    given = trial(n=2_000)
    gone = (given["arm"] == "a") & (np.random.default_rng(2).random(2_000) < 0.2)
    given["value"][gone] = np.nan
    found = measure_lifts(*tables(given), experiment="t", control="c", measured_by=["voted"], as_of=DAY)
    table = found["attritions"]
    row = {name: table[name][1] for name in table}
    assert row["arm"] == "a"
    assert row["p_attrition"] < 0.001
    assert row["n_missing"] == gone.sum()
    lift = read(given)["a", "intention_to_treat"]["estimate"]
    assert row["low"] < row["lift_low"] < lift < row["lift_high"] < row["high"]
    sealed = measure_lifts(
        *tables(given), experiment="t", control="c", measured_by=["voted"], as_of=DAY, read_at=9_999
    )["attritions"]
    assert sealed["lift_low"] == [None, None]
    assert sealed["p_attrition"][1] == row["p_attrition"]
