"""Airtime on tiny tables."""

from __future__ import annotations

import datetime
import itertools

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.media import plan_media
from hustings.plans.media_checks import check_airtime
from hustings.tables import TABLES

ELECTION, TODAY = datetime.date(2026, 11, 3), datetime.date(2026, 10, 19)
MONDAY = TODAY
KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def slot(name, price, **more):
    given = {"source": "s", "slot_id": name, "network": "WXYZ", "daypart": "prime", "week_on": MONDAY}
    return given | {"price_cents": price, "n_units": 10} | more


def everyone(n=400):
    rng = np.random.default_rng(1)
    sex = np.where(rng.random(n) < 0.5, "female", "male")
    return [
        {
            "person_id": f"p{i}", "household_id": f"h{i}", "sex": sex[i], "region_id": "R", "place_id": "P",
            "born_on": datetime.date(1950 + int(rng.integers(0, 55)), 1, 1),
        }
        for i in range(n)
    ]  # fmt: skip


GROUPS = [
    {"source": "s", "viewer_id": "women", "sex": "female", "age_from": 18, "age_to": 90, "n_people": 1000.0},
    {"source": "s", "viewer_id": "men", "sex": "male", "age_from": 18, "age_to": 90, "n_people": 1000.0},
]
SLOTS = [slot("a", 1000), slot("b", 1000), slot("c", 4000)]
VIEWING = {
    ("women", "a"): 0.05,
    ("men", "a"): 0.01,
    ("men", "b"): 0.05,
    ("women", "c"): 0.1,
    ("men", "c"): 0.1,
}


def tables(
    slots=SLOTS,
    viewers=GROUPS,
    viewing=VIEWING,
    bought=(),
    people=None,
    scores=(),
    lifts=(),
    responses=(),
    worth=(),
):
    seen = [
        {"source": "s", "viewer_id": v, "slot_id": s} | (p if isinstance(p, dict) else {"p_view": p})
        for (v, s), p in viewing.items()
    ]
    return (
        table("slots", slots),
        table("viewers", viewers),
        table("viewing", seen),
        table("bought", bought),
        table("people", everyone() if people is None else people),
        table("scores", scores),
        table("lifts", lifts),
        table("responses", responses),
        table("vote_values", worth),
        table("places", []),
    )


def rows_of(made):
    return [dict(zip(made, row, strict=True)) for row in zip(*made.values(), strict=True)]


def plan(given=None, **settings):
    base = {
        "plan_id": "tv", "budget_cents": 20_000, "aim": "net_votes", "decisive_race": "", "playbook": "election",
        "country": "US", "election_day": ELECTION, "as_of": TODAY, "rng": np.random.default_rng(3),
        "separation_minutes": 0.0, "fewest_panelists": 0.0,
    }  # fmt: skip
    made = plan_media(*tables(**(given or {})), **(base | settings))
    return {name: rows_of(part) for name, part in made.items()}


def test_units_are_whole_within_the_budget_and_beside_them_stand_the_rules():
    found = plan()
    cost = sum(row["cost_cents"] for row in found["media_plan"])
    assert 0 < cost <= 20_000
    assert all(0 < row["n_units"] <= 10 for row in found["media_plan"])
    options = {row["option"]: row for row in found["media_options"]}
    assert set(options) == {"plan", "cheapest adults", "women 35+", "adults 18-34", "adults 35+"}
    assert sum(row["recommended"] for row in options.values()) == 1
    for row in options.values():
        assert row["low"] < row["net_votes"] < row["high"]
        assert row["cost_cents"] <= 20_000
        assert 0 < row["reach"] <= 1
        assert row["points"] == pytest.approx(100 * row["reach"] * row["frequency"])
    assert options["plan"]["predicted"] <= options["plan"]["bound"] * (1 + 1e-9)
    offers = [row for row in found["offers"] if row["way"] == "plan"]
    assert [row["step"] for row in offers] == list(range(len(offers)))
    assert offers[0]["cost_cents"] == offers[0]["gain"] == 0
    assert all(a["gain"] < b["gain"] for a, b in itertools.pairwise(offers))


def test_what_one_slot_moves_by_hand():
    # A unit in the week that ends nine days before the election: 12 days from its middle; half is gone every 5.
    people = everyone(100)
    viewers = [{"source": "s", "viewer_id": "all", "n_people": 100.0}]
    given = {
        "slots": [slot("a", 1000, n_units=4)],
        "viewers": viewers,
        "viewing": {("all", "a"): 0.5},
        "people": people,
    }
    found = plan(given, budget_cents=4000, rate=0.3)
    exposures = 4 * 0.5 * 0.5 ** (12 / 5)
    moved = 2 * 0.7 / 100 * 100 * (1 - np.exp(-0.3 * exposures))  # whoever changes sides is two net votes
    option = next(row for row in found["media_options"] if row["option"] == "plan")
    assert option["net_votes"] == pytest.approx(moved, rel=1e-5)
    assert option["points"] == pytest.approx(200)
    assert option["reach"] == pytest.approx(1 - 0.5**4)


def test_scores_say_who_can_be_moved():
    people = everyone()
    scores = [
        {"person_id": p["person_id"], "score": name, "as_of": TODAY, "value": value}
        for p in people
        for name, value in (("support", 0.5 if p["sex"] == "female" else 0.99), ("turnout", 0.8))
    ]
    bought = {row["slot_id"] for row in plan({"scores": scores}, budget_cents=5000)["media_plan"]}
    assert bought == {"a"}


def test_what_cannot_be_bought_is_left_out_with_its_reason():
    slots = [
        *SLOTS, slot("free", 0), slot("gift", 0, class_of_time="bonus"), slot("none", None),
        slot("late", 10, week_on=ELECTION + datetime.timedelta(6)),
        slot("web", 10, medium="digital", network="LinkedIn"),
        slot("list", 10, medium="digital", network="Google", aimed_by="list"),
    ]  # fmt: skip
    viewing = VIEWING | {("women", s): 0.2 for s in ("free", "gift", "none", "late", "web", "list")}
    found = plan({"slots": slots, "viewing": viewing})
    names = {row["slot_id"] for row in found["media_plan"]}
    assert "gift" in names
    assert not names & {"free", "none", "late", "web", "list"}
    reason = next(row["reason"] for row in found["media_options"] if row["option"] == "plan")
    assert "5 slots were left out" in reason
    made = check_airtime(
        *tables(slots=slots, viewing=viewing)[:4], table("airings", []), playbook="election", country="US",
        election_day=ELECTION, as_of=TODAY,
    )  # fmt: skip
    told = {row["subject_id"]: row["reason"] for row in rows_of(made)}
    assert "price is 0" in told["free"]
    assert "no price" in told["none"]
    assert "LinkedIn" in told["web"]
    assert "Google" in told["list"]


def test_a_slot_that_nobody_sees_is_never_bought():
    found = plan({"slots": [*SLOTS, slot("dark", 1)]})
    assert "dark" not in {row["slot_id"] for row in found["media_plan"]}
    unseen = plan({"slots": [slot("dark", 1)]})
    assert unseen["media_plan"] == []
    assert "nobody is known to see any slot" in unseen["media_options"][0]["reason"]
    assert "nobody is known" in unseen["offers"][0]["reason"]
    empty = plan({"viewing": {}, "people": []})
    assert "nobody is known" in empty["media_options"][0]["reason"]


def test_orders_are_checked_where_nobodys_viewing_is_known():
    row = orders([{"status": "aired", "n_units": 3}, {"status": "preempted"}], viewing={})
    assert row["status"] == "owed"


def test_an_impossible_minimum_is_refused_by_name_and_amount():
    with pytest.raises(DesignError, match=r"minimum of slot c cannot be bought .* 5 short"):
        plan({"slots": [*SLOTS[:2], slot("c", 4000, minimum_units=10)]})
    kept = plan({"slots": [*SLOTS[:2], slot("c", 4000, minimum_units=2)]})
    assert next(row["n_units"] for row in kept["media_plan"] if row["slot_id"] == "c") >= 2


def test_limits_networks_and_separation_hold():
    found = plan(limits=[{"daypart": "prime", "at_most_units": 3}])
    assert sum(row["n_units"] for row in found["media_plan"]) <= 3
    with pytest.raises(DesignError, match="unknown key"):
        plan(limits=[{"hour": 3, "at_most_units": 3}])
    with pytest.raises(DesignError, match="no such slot is sold"):
        plan(limits=[{"network": "none", "at_most_units": 3}])
    assert plan({"slots": []}, limits=[{"network": "WXYZ", "at_most_units": 3}])["media_plan"] == []
    with pytest.raises(DesignError, match="no bound"):
        plan(limits=[{"network": "WXYZ"}])
    # The week of a limit ends, and the campaign goes on.
    past = MONDAY - datetime.timedelta(7)
    over = plan(
        {"slots": [*SLOTS, slot("old", 1, week_on=past)]}, limits=[{"week_on": past, "at_most_cents": 5}]
    )
    assert sum(row["n_units"] for row in over["media_plan"]) > 0
    half = plan(network_share=0.5)
    assert sum(row["cost_cents"] for row in half["media_plan"]) <= 10_000
    apart = [slot(s, 1000, n_airings=2, minutes_per_airing=30) for s in "abc"]
    found = plan({"slots": apart}, separation_minutes=20.0)
    assert all(row["n_units"] <= 4 for row in found["media_plan"])


def test_candidates_pay_the_lowest_unit_charge_inside_the_window_alone():
    slots = [slot(s, 1000, lowest_unit_charge_cents=600) for s in "abc"]
    inside = plan({"slots": slots})["media_plan"][0]
    assert (inside["price_cents"], inside["lowest_unit_charge"]) == (600, True)
    outside = plan({"slots": slots}, lowest_unit_charge_days=0)["media_plan"][0]
    assert (outside["price_cents"], outside["lowest_unit_charge"]) == (1000, False)


def test_time_that_may_be_preempted_counts_for_what_is_expected_to_air():
    slots = [slot("a", 1000, p_preempted=0.9), slot("b", 1000)]
    viewing = {(v, s): 0.05 for v in ("women", "men") for s in "ab"}
    found = plan({"slots": slots, "viewing": viewing}, budget_cents=5000)
    assert {row["slot_id"] for row in found["media_plan"]} == {"b"}


def test_few_panelists_fall_back_to_the_best_rule_and_say_so():
    viewers = [row | {"n_panelists": 30.0} for row in GROUPS]
    found = plan({"viewers": viewers}, fewest_panelists=1000.0)
    options = {row["option"]: row for row in found["media_options"]}
    assert not options["plan"]["recommended"]
    assert "only 60 panelists" in options["plan"]["reason"]
    best = next(row for row in options.values() if row["recommended"])
    assert sum(row["n_units"] for row in found["media_plan"]) == best["n_units"]


def test_rotations_are_bought_whole_and_seen_in_the_mean_of_their_parts():
    slots = [
        slot("r", 1000), slot("a", None, rotation_id="r"), slot("b", None, rotation_id="r"),
    ]  # fmt: skip
    found = plan({"slots": slots, "viewing": {("women", "a"): 0.04, ("women", "b"): 0.08}}, budget_cents=1000)
    assert found["media_plan"][0]["slot_id"] == "r"
    assert found["media_plan"][0]["points"] == pytest.approx(3.0)


def test_digital_stops_at_its_frequency_and_reaches_whom_it_can():
    web = slot(
        "web", 100, medium="digital", network="site", n_units=None, n_reachable=500.0, frequency_cap=4.0
    )
    found = plan(
        {"slots": [web], "viewing": {("women", "web"): {"p_view": 0.5, "p_reachable": 0.5}}},
        budget_cents=10_000,
    )
    assert found["media_plan"][0]["n_units"] == 2
    option = next(row for row in found["media_options"] if row["option"] == "plan")
    assert option["reach"] == pytest.approx(0.25, rel=1e-6)


def test_last_cycles_buy_is_spread_as_the_money_was():
    bought = [
        {"source": "s", "order_id": str(k), "network": "WXYZ", "daypart": d, "cost_cents": c,
         "ordered_on": datetime.date(2024, 10, 1)}
        for k, (d, c) in enumerate({"prime": 300.0, "news": 100.0}.items())
    ]  # fmt: skip
    slots = [slot("a", 1000), slot("b", 1000, daypart="news")]
    found = plan({"slots": slots, "bought": bought}, budget_cents=8000)
    row = next(row for row in found["media_options"] if row["option"] == "last cycle's buy")
    assert row["n_units"] == 8


def test_an_own_test_replaces_the_published_effect():
    lift = {"experiment": "ads", "arm": "tv", "outcome": "support", "estimator": "intention_to_treat", "estimate": 0.02, "std_error": 0.005}  # fmt: skip
    mine = plan({"lifts": [lift]}, experiment="ads")
    assert all(row["tested"] for row in mine["offers"])
    votes = [
        next(r["net_votes"] for r in f["media_options"] if r["option"] == "plan") for f in (mine, plan())
    ]
    assert votes[0] == pytest.approx(votes[1] * 2 / 0.7, rel=1e-6)
    with pytest.raises(DesignError, match="no such lift"):
        plan(experiment="ads")
    sealed = lift | {"estimate": None, "std_error": None, "reason": "sealed until 2026-11-20"}
    waiting = plan({"lifts": [sealed]}, experiment="ads")
    assert waiting["media_plan"] == []
    assert "sealed until" in waiting["media_options"][0]["reason"]
    with pytest.raises(DesignError, match="both experiment and channel"):
        plan({"lifts": [lift]}, experiment="ads", channel="tv")


def test_tests_of_places_give_effect_decay_and_curve():
    curve = {
        "channel": "tv", "kind": "exponential", "rate": 0.5, "rate_error": 0.1, "adstock_half_life_weeks": 2.0,
        "full_effect": 0.01, "full_effect_error": 0.004, "dose_unit": "exposures per person", "outcome": "support",
        "randomised": True,
    }  # fmt: skip
    mine = plan({"responses": [curve]}, channel="tv")
    by_hand = plan(effect_points=1.0, effect_error=0.4, half_life_days=14.0, rate=0.5)
    votes = [
        next(r["net_votes"] for r in f["media_options"] if r["option"] == "plan") for f in (mine, by_hand)
    ]
    assert votes[0] == pytest.approx(votes[1])
    assert all(row["tested"] for row in mine["offers"])
    # One chance in four of no effect: three quarters of the mean, and the error of such a mixture.
    doubted = plan({"responses": [curve | {"p_no_effect": 0.25}]}, channel="tv")
    by_hand = plan(
        effect_points=0.75, effect_error=(0.75 * (0.4**2 + 1) - 0.75**2) ** 0.5, half_life_days=14.0, rate=0.5
    )
    one, other = (next(r for r in f["media_options"] if r["option"] == "plan") for f in (doubted, by_hand))
    assert one["net_votes"] == pytest.approx(0.75 * votes[0])
    assert one["net_votes"] == pytest.approx(other["net_votes"])
    unknown = plan({"responses": [curve | {"kind": None, "reason": "sealed until 2026-11-20"}]}, channel="tv")
    assert "sealed until" in unknown["media_options"][0]["reason"]
    with pytest.raises(DesignError, match="no such section"):
        plan(channel="tv")
    with pytest.raises(DesignError, match="cents per person"):
        plan({"responses": [curve | {"dose_unit": "cents per person"}]}, channel="tv")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"budget_cents": 0}, "budget is 0"),
        ({"effect_points": 0.0}, "not expected to move"),
        ({"as_of": ELECTION + datetime.timedelta(1)}, "week is over"),
        ({"media": ["radio"]}, "medium is not in the plan"),
    ],
)
def test_a_plan_without_units_says_why(settings, why):
    found = plan(**settings)
    assert found["media_plan"] == []
    assert why in found["media_options"][0]["reason"]
    assert why in found["offers"][0]["reason"]


def test_airtime_adds_no_ballots_and_the_offer_says_so():
    offers = plan(aim="added_ballots")["offers"]
    assert all(row["gain"] is None and "adds no ballots" in row["reason"] for row in offers)


def test_what_the_budget_reads_holds_the_panels_error_and_that_of_a_votes_worth():
    panel = [row | {"n_panelists": 30.0} for row in GROUPS]
    sure, few = plan(), plan({"viewers": panel})
    step = {name: found["offers"][-1] for name, found in (("sure", sure), ("few", few))}
    relative = {name: row["std_error"] / row["gain"] for name, row in step.items()}
    assert relative["few"] > relative["sure"] * 1.005
    worth = [{"race": "senate", "place_id": "P", "value": 1e-6, "std_error": 5e-7}]
    won = plan({"worth": worth}, aim="win", decisive_race="senate")
    option = next(row for row in won["media_options"] if row["option"] == "plan")
    assert option["gain"] == pytest.approx(1e-6 * option["net_votes"])
    last = won["offers"][-1]
    assert last["std_error"] / last["gain"] > relative["sure"] * 1.05
    assert option["gain_high"] - option["gain_low"] > 1.02e-6 * (option["high"] - option["low"])


def test_people_in_two_groups_are_refused():
    viewers = [*GROUPS, {"source": "s", "viewer_id": "all", "n_people": 2000.0}]
    with pytest.raises(DesignError, match="several groups"):
        plan({"viewers": viewers})


def orders(airings, viewing=VIEWING, **more):
    bought = [{"source": "s", "order_id": "o", "slot_id": "old", "network": "WXYZ", "n_units": 4, "cost_cents": 4000.0, "ordered_on": datetime.date(2026, 9, 1)} | more]  # fmt: skip
    slots = [*SLOTS, slot("old", 1000, week_on=MONDAY - datetime.timedelta(7), audience=100.0)]
    made = check_airtime(
        *tables(slots=slots, bought=bought, viewing=viewing)[:4],
        table("airings", [{"source": "s", "airing_id": str(k), "order_id": "o"} | a for k, a in enumerate(airings)]),
        playbook="election", country="US", election_day=ELECTION, as_of=TODAY,
    )  # fmt: skip
    return next(row for row in rows_of(made) if row["check"] == "order")


def test_what_did_not_air_is_owed_and_a_make_good_is_named():
    row = orders(
        [
            {"status": "aired", "n_units": 3, "delivered": 300.0, "invoiced_cents": 3000.0},
            {"status": "preempted"},
        ]
    )
    assert (row["status"], row["owed_units"], row["owed_audience"]) == ("owed", 1, 100)
    # Of two slots at that price, both seen by 60 adults or 50, two units of the better bring 100.
    assert (row["make_good_slot_id"], row["make_good_units"]) == ("a", 2)
    assert "did not air" in row["reason"]


def test_an_invoice_above_what_aired_is_told():
    row = orders([{"status": "aired", "n_units": 4, "delivered": 400.0, "invoiced_cents": 5000.0}])
    assert (row["status"], row["refund_cents"]) == ("overcharged", 1000)


def test_a_short_audience_is_owed_and_no_log_is_told():
    row = orders([{"status": "aired", "n_units": 4, "delivered": 250.0}])
    assert (row["status"], row["owed_audience"]) == ("owed", 150)
    assert orders([])["status"] == "no log"
    done = orders([{"status": "aired", "n_units": 4, "delivered": 400.0, "invoiced_cents": 4000.0}])
    assert (done["status"], done["reason"]) == ("complete", None)
