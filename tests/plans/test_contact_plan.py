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
from hustings.plans.choices import Action, Households, addressees, at_price, read_actions
from hustings.plans.decisions import decision_rows
from hustings.plans.judged import for_no_one, nothing, unreadable
from hustings.plans.known import Basis, Gains, People, Trial
from hustings.plans.options import option_rows
from hustings.plans.rules import best_action, by_order, orders
from hustings.plans.solving import Limits, choose
from hustings.plans.valuing import Way
from hustings.stats.net_votes import NOTHING, Move

MAIL = Action("plain", "plain", "mail", 40.0, "household", True, None, "mailers")
NAMED = Action("named", "named", "mail", 40.0, "household", False, "names people", "mailers")


def people(effect: np.ndarray, household: np.ndarray, readings: dict | None = None) -> Households:
    n = len(household)
    labels = [f"h{i}" for i in range(household.max() + 1)]
    marks = np.zeros(effect.shape, bool)
    marks[np.unique(household, return_index=True)[1]] = True
    return Households(
        np.arange(n).astype(str), household, labels, effect, np.full(effect.shape, 0.1), readings, marks
    )


def of_test(effect: np.ndarray, household: np.ndarray) -> Gains:
    """A plan whose people are those of the test that measured all its actions."""
    n, width = effect.shape
    basis = [
        Basis("mailers", Move(effect[:, j]), NOTHING, "own test mailers", tested=True) for j in range(width)
    ]
    trial = people(effect, household, {"aipw": effect, "ipw": effect})
    known = People(None, None, np.ones(n), (0.0, 0.0))
    trials = [Trial("mailers", tuple(range(width)), trial, np.arange(trial.n))]
    return Gains(people(effect, household), effect, None, known, basis, trials)


def money_alone(budget: float, n: int) -> Limits:
    none = np.zeros(0, np.int64)
    return Limits(budget, {}, np.ones(n, np.int64), np.full(n, -1), none, 0, ())


def everybody(n: int, width: int) -> np.ndarray:
    return np.ones((n, width), bool)


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
    held = np.array([False, True, False, False])
    gain = plan.by_household(plan.effect, [MAIL])
    chosen = choose(gain, everybody(4, 1), [MAIL], money_alone(40.0, 4), held)
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
    gain = plan.by_household(plan.effect, [MAIL, NAMED])
    chosen = choose(gain, everybody(9, 2) & allowed, [MAIL, NAMED], money_alone(float(budget), 9), held)
    taken = chosen.action >= 0
    assert chosen.spent <= budget
    assert chosen.spent == pytest.approx(40.0 * (taken & ~held).sum())
    assert all(allowed[chosen.action[taken]])
    assert (effect[taken, chosen.action[taken]] > 0).all()


def test_at_no_price_every_gain_is_taken_and_at_a_high_one_none():
    gain, cost, allowed = np.array([[0.5], [-0.5]]), np.array([1.0]), np.array([True])
    assert at_price(gain, cost, 0.0, allowed).tolist() == [0, -1]
    assert at_price(gain, cost, 1.0, allowed).tolist() == [-1, -1]


def test_rules_of_thumb_spend_the_same_budget_on_the_best_action():
    gains = of_test(np.full((10, 2), 0.1), np.arange(10))
    habit = np.linspace(0, 1, 10)
    actions = [MAIL, NAMED._replace(allowed=True)]
    best = best_action(gains, actions, [0, 1], {"plain": 0.01, "named": 0.09}, 200.0)
    assert best == 1
    found = [
        by_order(gains, actions, best, order, 200.0, money_alone(200.0, 10), np.arange(10))
        for order in orders(gains, (habit, habit), "a score")
    ]
    assert [way.name for way in found] == [
        "random",
        "likeliest voters first",
        "middling turnout first",
        "largest households first",
    ]
    assert all(way.cost == 200.0 and way.pieces == 5 for way in found)
    assert np.flatnonzero(found[1].contact[:, 0] == 1).tolist() == [5, 6, 7, 8, 9]
    assert np.flatnonzero(found[1].in_trials[0][:, 0] == 1).tolist() == [5, 6, 7, 8, 9]
    assert set(np.flatnonzero(found[2].contact[:, 0] == 1)) <= set(range(2, 8))


def test_a_rule_of_thumb_keeps_to_the_callers_minutes():
    gains = of_test(np.full((10, 1), 0.1), np.arange(10))
    call = MAIL._replace(channel="phone", minutes=4.0)
    limits = money_alone(400.0, 10)._replace(minutes={"phone": 10.0})
    (order, *_) = orders(gains, (np.zeros(10), np.zeros(10)), "a score")
    assert by_order(gains, [call], 0, order, 400.0, limits, np.arange(10)).pieces == 2


def way_of(contact: np.ndarray, cost: float, reason: str | None = None) -> Way:
    return Way("plan", "about", contact[:, None], (contact[:, None],), cost, reason=reason)


def decided(gains: Gains, way: Way, why: str | None, *, spent: int = 0) -> dict:
    rows = option_rows("mail", "added_ballots", [way], gains, [MAIL], 0.0)
    return decision_rows(
        "mail",
        datetime.date(2026, 7, 1),
        rows,
        [MAIL],
        why,
        detectable=None,
        available_on=None,
        digest_of=(spent,),
    )


def test_a_plan_that_does_nothing_says_why_and_expects_nothing():
    gains = of_test(np.full((4, 1), 0.1), np.arange(4))
    found = decided(gains, way_of(np.full(4, -1), 0.0, "the budget is 0"), "the budget is 0")
    assert found["recommendation"] == ["Send nothing: the budget is 0."]
    assert found["expected"] == [None]


def test_the_same_proposal_has_the_same_id():
    gains = of_test(np.array([[0.1], [0.3]]), np.arange(2))
    way = way_of(np.zeros(2, int), 80.0)
    ids = [decided(gains, way, None, spent=spent)["decision_id"] for spent in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_an_unknown_action_is_refused_and_none_is_no_plan():
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
    assert [action.experiment for action in read_actions(table, ["a", "b"], "mail")] == ["one", "two"]
    with pytest.raises(DesignError, match="did you mean 'a'"):
        read_actions(table, ["aa"], "mail")
    with pytest.raises(DesignError, match="each once"):
        read_actions(table, ["a", "a"], "mail")
    with pytest.raises(DesignError, match="no action"):
        read_actions(table, [], "mail")


def test_a_home_of_forty_counts_as_one_addressee():
    household = np.zeros(40, int)
    effect = np.linspace(0, 0.39, 40)[:, None]
    plan = people(effect, household)._replace(addressee=addressees(household, effect))
    assert plan.by_household(effect, [MAIL])[0, 0] == pytest.approx(0.39)


def a_model(card: dict, reason: str | None = None):
    row = {"model_id": ["effects.mailers"], "card": [json.dumps(card)], "reason": [reason]}
    return ibis.memtable(pa.table(row, schema=pa.schema([(name, pa.string()) for name in row])))


def test_arms_that_work_for_no_one_are_left_out_of_a_plan():
    arms = [{"arm": "plain", "verdict": {"word": "no one"}}, {"arm": "named", "verdict": {"word": "target"}}]
    assert for_no_one(a_model({"arms": arms}), {"mailers"}) == {("mailers", "plain")}
    assert for_no_one(a_model({"arms": arms}), {"phones"}) == set()
    assert for_no_one(a_model({}), {"mailers"}) == set()


def test_a_sealed_test_gives_a_plan_that_is_nobody_and_says_why():
    assert unreadable(a_model({}), {"mailers"}) == {}
    assert unreadable(a_model({}, "sealed until 1 October"), {"mailers"}) == {
        "mailers": "sealed until 1 October"
    }
    made = nothing("mail", "added_ballots", datetime.date(2026, 7, 1), "sealed")
    assert made["options"]["reason"] == made["offers"]["reason"] == ["sealed"]
    assert made["options"]["n_households"] == [0]
    assert made["contact_plan"]["person_id"] == []
