"""Plans on small tables: what is refused, and when nothing is sent."""

from __future__ import annotations

import datetime
import json

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hustings.errors import DesignError
from hustings.plans.choices import Action, Households, at_price, read_actions
from hustings.plans.contact_plan import _for_no_one, _nothing, _why_unknown, choose
from hustings.plans.decisions import decision_rows
from hustings.plans.options import Option, option_rows, rules_of_thumb

MAIL = Action("plain", "plain", "mail", 40.0, "household", True, None)
NAMED = Action("named", "named", "mail", 40.0, "household", False, "names people")


def people(effect: np.ndarray, household: np.ndarray, readings: dict | None = None) -> Households:
    n = len(household)
    labels = [f"h{i}" for i in range(household.max() + 1)]
    marks = np.zeros(effect.shape, bool)
    marks[np.unique(household, return_index=True)[1]] = True
    return Households(
        np.arange(n).astype(str), household, labels, effect, np.full(effect.shape, 0.1), readings, marks
    )


def test_a_household_counts_everyone_whom_the_piece_reaches():
    found = people(np.array([[0.1], [0.2], [0.4]]), np.array([0, 0, 1]))
    assert found.by_household(found.effect, [MAIL])[:, 0].tolist() == pytest.approx([0.3, 0.4])


def test_a_call_reaches_the_addressee_alone():
    found = people(np.array([[0.1], [0.2], [0.4]]), np.array([0, 0, 1]))
    call = MAIL._replace(reaches="person")
    assert found.by_household(found.effect, [call])[:, 0].tolist() == pytest.approx([0.1, 0.4])


def test_control_households_are_chosen_by_the_price_of_the_others_and_cost_nothing():
    effect = np.array([[0.9], [0.8], [0.1], [0.05]])
    plan = people(effect, np.arange(4))
    chosen = choose(plan, [MAIL], np.array([True]), 40.0, np.array([False, True, False, False]))
    assert chosen.action.tolist() == [0, 0, -1, -1]
    assert chosen.held_out.tolist() == [False, True, False, False]
    assert chosen.spent == 40.0


@given(
    hnp.arrays(float, (9, 2), elements=st.floats(-1, 1)),
    st.integers(0, 500),
    hnp.arrays(bool, 9),
    hnp.arrays(bool, 2),
)
def test_a_choice_keeps_the_budget_and_never_takes_a_loss_or_what_is_not_allowed(
    effect, budget, held, allowed
):
    plan = people(effect, np.arange(9))
    chosen = choose(plan, [MAIL, NAMED], allowed, float(budget), held)
    taken = chosen.action >= 0
    assert chosen.spent <= budget
    assert chosen.spent == pytest.approx(40.0 * (taken & ~held).sum())
    assert all(allowed[chosen.action[taken]])
    assert (effect[taken, chosen.action[taken]] > 0).all()


def test_at_no_price_every_gain_is_taken_and_at_a_high_one_none():
    gain, cost, allowed = np.array([[0.5], [-0.5]]), np.array([1.0]), np.array([True])
    assert at_price(gain, cost, 0.0, allowed).tolist() == [0, -1]
    assert at_price(gain, cost, 1.0, allowed).tolist() == [-1, -1]


def test_rules_of_thumb_spend_the_same_budget_and_never_an_unapproved_action():
    effect, homes = np.full((10, 2), 0.1), np.arange(10)
    readings = {"aipw": effect, "ipw": effect}
    trial = people(effect, homes, readings)
    found = rules_of_thumb(
        trial,
        trial,
        [MAIL, NAMED],
        {"plain": 0.01, "named": 0.09},
        np.linspace(0, 1, 10),
        200.0,
        10,
        "a score",
    )
    assert [option.name for option in found] == [
        "random",
        "likeliest voters first",
        "middling turnout first",
        "largest households first",
    ]
    assert all(option.cost == 200.0 and option.pieces == 5 for option in found)
    assert all(set(option.action.tolist()) <= {-1, 0} for option in found)
    assert np.flatnonzero(found[1].action >= 0).tolist() == [5, 6, 7, 8, 9]
    assert np.flatnonzero(found[2].action >= 0).tolist() == [2, 3, 4, 5, 6] or set(
        np.flatnonzero(found[2].action >= 0)
    ) <= set(range(2, 8))


def test_without_an_approved_action_there_is_no_rule_to_compare():
    trial = people(np.full((2, 1), 0.1), np.arange(2))
    assert rules_of_thumb(trial, trial, [NAMED], {}, np.zeros(2), 100.0, 2, "a score") == []


def test_a_plan_that_does_nothing_says_why_and_expects_nothing():
    effect = np.full((4, 1), 0.1)
    trial = people(effect, np.arange(4), {"aipw": effect, "ipw": effect})
    option = Option("plan", "about", np.full(4, -1), 0, 0, 0.0, reason="the budget is 0")
    rows = option_rows("mail", [option], trial, [MAIL])
    decided = decision_rows(
        "mail",
        datetime.date(2026, 7, 1),
        rows,
        [MAIL],
        "the budget is 0",
        detectable=None,
        available_on=None,
        digest_of=(0,),
    )
    assert decided["recommendation"] == ["Send nothing: the budget is 0."]
    assert decided["expected"] == [None]
    assert rows["reason"][0] == "the budget is 0"


def test_the_same_proposal_has_the_same_id():
    effect = np.array([[0.1], [0.3]])
    trial = people(effect, np.arange(2), {"aipw": effect, "ipw": effect})
    rows = option_rows("mail", [Option("plan", "about", np.zeros(2, int), 2, 2, 80.0)], trial, [MAIL])

    def decide(spent: int) -> str:
        found = decision_rows(
            "mail",
            datetime.date(2026, 7, 1),
            rows,
            [MAIL],
            None,
            detectable=0.1,
            available_on=None,
            digest_of=(spent,),
        )
        return found["decision_id"][0]

    assert decide(1) == decide(1) != decide(2)


def test_actions_of_two_tests_cannot_stand_in_one_plan():
    import ibis

    table = ibis.memtable(
        {
            "action": ["a", "b"],
            "arm": ["x", "y"],
            "experiment": ["one", "two"],
            "channel": ["mail"] * 2,
            "unit_cost_cents": [1, 1],
            "reaches": ["household"] * 2,
            "needs_approval": [False] * 2,
            "approved_by": ["", ""],
            "concern": ["", ""],
        }
    )
    with pytest.raises(DesignError, match="one, two"):
        read_actions(table, ["a", "b"], "mail")
    with pytest.raises(DesignError, match="did you mean 'a'"):
        read_actions(table, ["aa"], "mail")


def a_model(card: dict, reason: str | None = None):
    row = {"model_id": ["effects.mailers"], "card": [json.dumps(card)], "reason": [reason]}
    return ibis.memtable(pa.table(row, schema=pa.schema([(name, pa.string()) for name in row])))


def test_arms_that_work_for_no_one_are_left_out_of_a_plan():
    arms = [{"arm": "plain", "verdict": {"word": "no one"}}, {"arm": "named", "verdict": {"word": "target"}}]
    assert _for_no_one(a_model({"arms": arms}), "mailers") == {"plain"}
    assert _for_no_one(a_model({"arms": arms}), "phones") == set()
    assert _for_no_one(a_model({}), "mailers") == set()


def test_a_sealed_test_gives_a_plan_that_is_nobody_and_says_why():
    assert _why_unknown(a_model({}), "mailers") is None
    why = _why_unknown(a_model({}, "sealed until 1 October"), "mailers")
    assert why == "the test mailers cannot be read: sealed until 1 October"
    made = _nothing("mail", why)
    assert made["options"]["reason"] == [why]
    assert made["options"]["n_households"] == [0]
    assert made["contact_plan"]["person_id"] == []
