"""Message tests on tiny tables: what is refused, what is sealed, what is told."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pyarrow as pa
import pytest

from hustings.errors import DesignError
from hustings.experiments.messages import compare_messages
from hustings.experiments.recipients import refuse_opens

SENT = datetime.date(2026, 3, 2)
OVER = datetime.date(2026, 3, 9)


def table(rows: list[dict], **kinds: str) -> ibis.Table:
    kept = [{name: row.get(name) for name in kinds} for row in rows]
    return ibis.memtable(pa.Table.from_pylist(kept, schema=ibis.schema(kinds).to_pyarrow()))


def assigned(arms, experiment="spring", sent=SENT, first=0) -> list[dict]:
    return [
        {
            "experiment": experiment,
            "person_id": f"p{first + i}",
            "arm": arm,
            "unit_id": f"p{first + i}",
            "assigned_on": sent,
        }
        for i, arm in enumerate(arms)
    ]


def event(person, value=None, kind="gift", day=SENT, hour=12) -> dict:
    at = datetime.datetime.combine(day, datetime.time(hour))
    return {"person_id": person, "kind": kind, "value": value, "happened_at": at}


def run(drawn, events, *, controls=None, outcomes=(), as_of=OVER, **settings):
    controls = controls or {row["experiment"]: "a" for row in drawn} or {"spring": "a"}
    declared = [{"experiment": e, "arm": arm, "is_control": True} for e, arm in controls.items()]
    found = compare_messages(
        table(
            drawn, experiment="string", person_id="string", arm="string", unit_id="string", assigned_on="date"
        ),
        table(declared, experiment="string", arm="string", is_control="boolean"),
        table(events, person_id="string", kind="string", value="float64", happened_at="timestamp"),
        table(list(outcomes), outcome="string", person_id="string", value="float64"),
        message="spring",
        as_of=as_of,
        rng=np.random.default_rng(5),
        **settings,
    )
    return {
        name: [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for name, columns in found.items()
    }


def gifts(counts: dict[str, int], n=100, cents=2_000.0) -> tuple[list[dict], list[dict]]:
    """n recipients of each variant, of whom so many gave: some a little more than others."""
    drawn = assigned([arm for arm in counts for _ in range(n)])
    given = []
    for place, (_, count) in enumerate(counts.items()):
        given += [event(f"p{place * n + i}", cents + 10 * i) for i in range(count)]
    return drawn, given


@pytest.mark.parametrize("outcome", ["open", "opens", "e-mail opened", "open_rate", "OPEN"])
def test_opens_are_refused_and_clicks_gifts_and_sign_ups_named(outcome):
    with pytest.raises(DesignError, match=r"click, a gift or a sign-up"):
        run(*gifts({"a": 10, "b": 10}), measured_by=[outcome])


@pytest.mark.parametrize("outcome", ["click", "gift", "sign-up", "signed up"])
def test_other_outcomes_are_not_refused(outcome):
    assert refuse_opens(outcome) == outcome


def test_opens_are_refused_by_the_check_of_campaign_toml():
    import pydantic

    from hustings.stage import describe

    with pytest.raises(pydantic.ValidationError, match="mail programs fetch pictures"):
        describe(compare_messages).model()(as_of=OVER, measured_by=["open"])


def test_a_difference_by_hand():
    found = run(*gifts({"a": 10, "b": 20}))
    a, b = found["messages"]
    assert (a["n"], a["n_responders"], a["response_rate"]) == (100, 10, 0.1)
    assert a["mean"] == pytest.approx(sum(2_000 + 10 * i for i in range(10)) / 100)
    assert b["difference"] == pytest.approx(b["mean"] - a["mean"])
    values = [np.array([2_000 + 10 * i for i in range(k)] + [0] * (100 - k)) for k in (10, 20)]
    assert b["std_error"] == pytest.approx(np.sqrt(sum(v.var(ddof=1) / 100 for v in values)))
    assert b["low"] < b["difference"] < b["high"]
    assert a["difference"] is None
    assert (a["reason"], b["reason"]) == (None, None)


def test_the_gain_to_expect_is_smaller_than_the_one_shown():
    found = run(*gifts({"a": 10, "b": 11, "c": 20, "d": 9}))
    winner = next(row for row in found["messages"] if row["is_winner"])
    assert winner["arm"] == "c"
    assert 0 <= winner["gain"] < winner["difference"]
    assert winner["gain_low"] <= winner["gain"] <= winner["gain_high"]
    assert winner["next_share"] == 1
    assert sum(row["p_best"] for row in found["messages"]) == pytest.approx(1)
    assert winner["expected_loss"] == min(row["expected_loss"] for row in found["messages"])


def test_only_what_happened_within_the_horizon_counts():
    drawn = assigned("a" * 20 + "b" * 20)
    inside = [event(f"p{i}", kind="click", day=SENT + datetime.timedelta(days=6), hour=23) for i in range(20)]
    outside = [event(f"p{i}", kind="click", day=SENT + datetime.timedelta(days=7)) for i in range(20, 30)]
    before = [event(f"p{i}", kind="click", day=SENT - datetime.timedelta(days=1)) for i in range(30, 40)]
    found = run(drawn, inside + outside + before, measured_by=["click"])
    assert [row["n_responders"] for row in found["messages"]] == [20, 0]


def test_a_fixed_test_is_sealed_until_its_horizon_is_over():
    found = run(*gifts({"a": 10, "b": 20}), as_of=OVER - datetime.timedelta(days=1))
    for row in found["messages"]:
        assert row["mean"] is None
        assert row["p_best"] is None
        assert "sealed until 2026-03-09" in row["reason"]


def test_a_bandit_uses_those_whose_horizon_is_over():
    drawn, given = gifts({"a": 10, "b": 20})
    late = assigned("ab" * 50, sent=OVER, first=1000)
    found = run(drawn + late, given, mode="bandit", as_of=OVER)
    assert [row["n"] for row in found["messages"]] == [100, 100]
    shares = [row["next_share"] for row in found["messages"]]
    assert sum(shares) == pytest.approx(1)
    assert 0.4 < shares[1] < 1


def test_several_gifts_add_up_and_an_unknown_amount_is_unknown():
    drawn, given = gifts({"a": 10, "b": 10})
    given += [event("p0", 500.0), event("p100", None)]
    a, b = run(drawn, given)["messages"]
    assert a["mean"] == pytest.approx((sum(2_000 + 10 * i for i in range(10)) + 500) / 100)
    assert (b["n"], b["n_missing"]) == (99, 1)


def test_an_infinite_amount_is_a_reason_and_no_number():
    drawn, given = gifts({"a": 10, "b": 10})
    found = run(drawn, [*given, event("p150", float("inf"))])
    assert all(row["mean"] is None and "infinite" in row["reason"] for row in found["messages"])


def test_too_few_responders_are_a_reason():
    found = run(*gifts({"a": 3, "b": 5}))
    assert "8 responded in all" in found["messages"][1]["reason"]
    assert found["messages"][1]["difference"] is None
    assert found["messages"][1]["is_winner"] is None
    assert all(row["cost"] is None and row["reason"] for row in found["hunch_costs"])


def test_nobody_sent_is_a_reason():
    found = run([], [])
    (row,) = found["messages"]
    assert row["reason"] == "nobody was sent a variant"


def test_a_send_without_a_day_has_no_horizon():
    found = run(assigned("ab", sent=None), [])
    assert "assigned_on" in found["messages"][0]["reason"]


def test_a_control_that_went_to_nobody_is_a_reason():
    found = run(assigned("b" * 30 + "c" * 30), [event(f"p{i}", 5.0) for i in range(0, 60, 3)])
    assert all("control a went to nobody" in row["reason"] for row in found["messages"])


def test_a_test_that_is_not_declared_is_named():
    with pytest.raises(DesignError, match=r"\[experiments.autumn\]"):
        run(*gifts({"a": 10, "b": 20}), sends=["spring", "autumn"])


def test_sends_with_different_controls_are_refused():
    drawn = assigned("ab", "one") + assigned("bc", "two", first=10)
    with pytest.raises(DesignError, match="different controls"):
        run(drawn, [], controls={"one": "a", "two": "b"}, sends=["one", "two"])


def test_a_hunch_that_is_no_variant_is_refused():
    with pytest.raises(DesignError, match="did you mean 'b'"):
        run(*gifts({"a": 10, "b": 20}), hunches=["bb"])


def test_hunches_cost_what_the_winner_brings_more():
    found = run(*gifts({"a": 10, "b": 40, "c": 12}, n=400), hunches=["c"], remaining=1_000)
    rules = {row["rule"]: row for row in found["hunch_costs"]}
    assert set(rules) == {"hunch: c", "control: a", "a variant at random"}
    hunch = rules["hunch: c"]
    assert hunch["winner"] == "b"
    assert 0 < hunch["cost"] < hunch["shown"]
    assert hunch["low"] < hunch["cost"] < hunch["high"]
    assert hunch["total"] == pytest.approx(1_000 * hunch["cost"])
    assert next(row for row in found["messages"] if row["arm"] == "c")["is_hunch"]


def test_a_hunch_that_wins_costs_nothing():
    found = run(*gifts({"a": 10, "b": 40}, n=400), hunches=["b"])
    hunch = found["hunch_costs"][0]
    assert (hunch["cost"], hunch["shown"]) == (0, 0)


def test_three_hundred_variants_do_not_break():
    rng = np.random.default_rng(1)
    arms = [f"v{i:03d}" for i in range(300)]
    drawn = assigned(arms * 20)
    given = [event(f"p{i}", float(rng.lognormal(8, 1))) for i in range(0, 6_000, 10)]
    found = run(drawn, given, controls={"spring": "v000"}, mode="bandit", smallest_share=0.001)
    assert len(found["messages"]) == 300
    assert sum(row["next_share"] for row in found["messages"]) == pytest.approx(1)
    assert min(row["next_share"] for row in found["messages"]) >= 0.001


def test_an_outcome_from_a_file_needs_no_horizon():
    told = [{"outcome": "signed", "person_id": f"p{i}", "value": float(i % 3 == 0)} for i in range(60)]
    found = run(assigned("ab" * 30), [], outcomes=told, measured_by=["signed"], measured_from="outcomes")
    assert [row["n"] for row in found["messages"]] == [30, 30]
    assert found["messages"][1]["difference"] is not None


def test_a_difference_that_halves_at_each_send_has_a_half_life_of_one_send():
    drawn, given, sends = [], [], []
    for k, extra in enumerate((800, 400, 200, 100)):
        sends.append(f"s{k}")
        drawn += assigned("a" * 2_000 + "b" * 2_000, sends[-1], first=10_000 * k)
        given += [event(f"p{10_000 * k + i}", kind="click") for i in range(200)]
        given += [event(f"p{10_000 * k + 2_000 + i}", kind="click") for i in range(200 + extra)]
    found = run(drawn, given, sends=sends, measured_by=["click"])
    b = found["messages"][1]
    assert b["half_life"] == pytest.approx(1, abs=0.1)
    assert b["half_life_low"] < b["half_life"] < b["half_life_high"] < 1.3
    assert [row["send"] for row in found["message_sends"]] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert found["message_sends"][1]["difference"] == pytest.approx(0.4)


def test_an_effect_that_stays_has_no_half_life_and_says_so():
    drawn, given, sends = [], [], []
    for k in range(3):
        sends.append(f"s{k}")
        drawn += assigned("a" * 1_000 + "b" * 1_000, sends[-1], first=10_000 * k)
        given += [event(f"p{10_000 * k + i}", kind="click") for i in range(100)]
        given += [event(f"p{10_000 * k + 1_000 + i}", kind="click") for i in range(200)]
    b = run(drawn, given, sends=sends, measured_by=["click"])["messages"][1]
    assert (b["half_life"], b["novelty"]) == (None, "no decay is proven")
    assert b["half_life_low"] > 1


def test_a_better_send_is_not_taken_for_a_better_variant():
    # Variant b was sent more in the second send, in which everyone clicked more.
    drawn = assigned("a" * 900 + "b" * 100, "one") + assigned("a" * 100 + "b" * 900, "two", first=10_000)
    given = [event(f"p{i}", kind="click") for i in range(0, 1_000, 10)]
    given += [event(f"p{10_000 + i}", kind="click") for i in range(0, 1_000, 2)]
    a, b = run(drawn, given, sends=["one", "two"], measured_by=["click"])["messages"]
    assert b["difference"] == pytest.approx(0, abs=1e-9)
    assert a["mean"] == pytest.approx(0.3)


def test_sends_without_a_common_variant_cannot_be_put_together():
    drawn = assigned("a" * 50 + "b" * 50, "one") + assigned("c" * 50 + "d" * 50, "two", first=1_000)
    given = [event(f"p{i}", kind="click") for i in (*range(0, 100, 5), *range(1_000, 1_100, 4))]
    found = run(drawn, given, controls={"one": "a", "two": "a"}, sends=["one", "two"], measured_by=["click"])
    assert all("no variants in common" in row["reason"] for row in found["messages"])
