"""Panels: by hand, what halves may never share, errors against repeated panels, and markets whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from hustings.errors import DesignError
from hustings.simulate import market
from hustings.stats import panels
from hustings.stats.media import Cap, audience, buy_in_order, plan_buys, value_of_buys
from hustings.stats.response import Response

RESPONSE = Response(0.3)


def a_panel(n: int, seed: int = 1, n_slots: int = 12) -> panels.Panel:
    rng = np.random.default_rng(seed)
    seen = rng.binomial(4, rng.beta(1, 8, (n, n_slots))) / 4
    return panels.panel(seen, np.full(n, 1000 / n), rng.gamma(1, 1, n), rng.integers(0, 3, n), np.ones(n))


def test_readings_of_a_cell_by_hand():
    found = panels.panel([[0.4], [0.1]], [1, 1], [3.0, 1.0], [0, 0], [1, 1])
    read = {view: float(panels.audience_of(found, view).viewing.toarray()[0, 0]) for view in panels.VIEWS[:3]}
    assert read["ratings"] == pytest.approx(0.25)
    assert read["worth"] == pytest.approx(0.325)
    assert read["shrunk"] == pytest.approx(0.2875)


@given(st.integers(0, 10_000), st.integers(4, 60))
@settings(max_examples=30, deadline=None)
def test_halves_share_no_panelist_and_stand_for_everyone(seed: int, n: int):
    found = a_panel(n, seed)
    marked = found._replace(viewing=sparse.csr_array(np.eye(n, dtype=np.float32)))
    one, other = panels.halves(marked, np.random.default_rng(seed))
    rows = [set(part.viewing.indices.tolist()) for part in (one, other)]
    assert not rows[0] & rows[1]
    assert rows[0] | rows[1] == set(range(n))
    for part in (one, other):
        assert part.people.sum() == pytest.approx(1000)


def test_a_group_is_thinned_to_two_that_add_up_to_it():
    found = panels.panel([[0.3, 0.7]], [100], [1.0], [0], [10])
    one, other = panels.halves(found, np.random.default_rng(2))
    assert (one.viewing.toarray() * 5 + other.viewing.toarray() * 5)[0] == pytest.approx([3, 7])
    assert one.panelists.tolist() == other.panelists.tolist() == [5.0]


def test_the_error_of_a_value_is_what_panels_drawn_again_show():
    units, fixed = np.arange(12.0) % 4, a_panel(400)
    again = [fixed._replace(viewing=a_panel(400, seed).viewing) for seed in range(200)]
    told = [panels.value_with_error(one, units, RESPONSE) for one in again]
    values, errors = np.array(told).T
    assert errors.mean() == pytest.approx(values.std(ddof=1), rel=0.2)


def test_scaling_brings_what_is_published():
    seen = panels.scaled(sparse.csr_array([[0.1, 0.2], [0.3, 0.0]]), [10, 10], [8.0, np.nan])
    assert (np.array([10, 10]) @ seen).tolist() == pytest.approx([8.0, 2.0])


def test_where_worth_and_taste_go_together_the_plan_beats_the_best_rule_and_its_claim_is_not_believed():
    rng = np.random.default_rng(4)
    culture, slots = market.draw_culture(rng, hidden=1.0), market.draw_slots(60, rng)
    people, own = (market.draw_viewers(n, culture, rng) for n in (6_000, 3_000))
    viewing = market.true_viewing(people, slots)
    weight = np.full(6_000, 100.0)
    adults = weight @ viewing
    price = adults * rng.lognormal(0, 0.1, 60) + 1
    budget = 0.15 * float(price @ slots.units)
    truth = audience(viewing, people.worth * weight)
    seen = market.seen_by_panel(market.true_viewing(own, slots), 4, rng)
    found = panels.panel(
        panels.scaled(sparse.csr_array(seen), np.full(3_000, 200.0), adults), np.full(3_000, 200.0), own.worth,
        (own.age > 45).astype(int) * 2 + own.female, np.ones(3_000),
    )  # fmt: skip
    rules = {"cheapest": buy_in_order(adults, price, slots.units, budget)}

    def plan(viewers):
        return plan_buys(viewers, price, slots.units, budget, response=RESPONSE).units

    choice = panels.choose(found, plan, rules, RESPONSE, rng=rng)
    bought = plan(panels.audience_of(found, choice.view))
    assert choice.beats
    assert choice.ratio <= 1
    assert value_of_buys(truth, bought, RESPONSE) > value_of_buys(truth, rules["cheapest"], RESPONSE)


def test_a_rule_that_is_surely_better_is_bought():
    found = panels.panel(np.eye(2)[[0, 1] * 50], np.ones(100), np.ones(100), [0, 1] * 50, np.ones(100))
    nothing = np.zeros(2)
    choice = panels.choose(
        found, lambda _: nothing, {"all": np.full(2, 3.0)}, RESPONSE, rng=np.random.default_rng(1)
    )
    assert not choice.beats
    assert choice.best_rule == "all"


def test_minimum_buys_hold_in_whole_units_within_the_budget():
    viewers = audience([[0.5, 0.1, 0.2]], [1.0])
    plan = plan_buys(
        viewers, [3.0, 2.0, 2.0], [9, 9, 9], 10.0, response=RESPONSE,
        caps=[Cap("b", [0, 2.0, 0], at_least=3.0), Cap("c", [0, 0, 2.0], at_least=3.0)],
    )  # fmt: skip
    # Two of each are owed; the two that are left do not pay the best slot.
    assert plan.units.tolist() == [0, 2, 3]
    assert plan.cost == 10
    with pytest.raises(DesignError, match="whole units"):
        plan_buys(
            viewers, [3.0, 2.0, 2.0], [9, 9, 9], 7.0, response=RESPONSE,
            caps=[Cap("b", [0, 2.0, 0], at_least=3.0), Cap("c", [0, 0, 2.0], at_least=3.0)],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"viewing": [[1.5]]}, "no probability"),
        ({"viewing": [[np.nan]]}, "no probability"),
        ({"worth": [-1.0]}, "missing or negative"),
        ({"people": [np.nan]}, "missing or negative"),
        ({"panelists": [0]}, "no panelist"),
        ({"cell": [0, 1]}, "does not fit"),
    ],
)
def test_what_no_panel_can_be_is_refused(change, match):
    given_ = {"viewing": [[0.5]], "people": [1.0], "worth": [1.0], "cell": [0], "panelists": [1]} | change
    with pytest.raises(DesignError, match=match):
        panels.panel(**given_)
