"""The contact plan over every channel on tiny tables: what it keeps to, and what becomes of bad input."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.contact_plan import plan_contacts
from hustings.plans.holdout import hold_out_households
from hustings.tables import TABLES

KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip
ELECTION, TODAY = datetime.date(2026, 11, 3), datetime.date(2026, 10, 26)
READ = [name for name, _ in plan_contacts.__stage__.reads]


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def rows_of(found):
    return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


def an_action(name, channel, cents, **more):
    reaches = "person" if channel in ("phone", "text", "email") else "household"
    row = {"action": name, "channel": channel, "unit_cost_cents": cents, "reaches": reaches}
    return row | {"needs_approval": False, "smallest": 0, "unit_minutes": 0.0} | more


LETTER, CALL, KNOCK = (
    an_action("letter", "mail", 50),
    an_action("call", "phone", 100, unit_minutes=5.0),
    an_action("knock", "door", 300),
)


def belief(action, estimate, error=0.001, outcome="voted"):
    row = {"action": action, "outcome": outcome, "method": f"method of {action}", "estimate": estimate}
    return row | {"std_error": error, "is_tested": False}


def a_town(n, per_home=2):
    """People in households, half of each with a score of support above one half."""
    folk = [
        {
            "person_id": f"p{i:03d}",
            "household_id": f"h{i // per_home:03d}",
            "place_id": f"P{i // per_home % 2}",
            "region_id": "R",
        }
        for i in range(n)
    ]
    private = [{"person_id": one["person_id"], "phone": f"555{2_000_000 + i}"} for i, one in enumerate(folk)]
    scores = [
        {"person_id": one["person_id"], "score": name, "as_of": TODAY, "value": value}
        for i, one in enumerate(folk)
        for name, value in (
            ("turnout", 0.2 + 0.6 * (i % 7) / 6),
            ("support", 0.9 if i // per_home % 2 else 0.2),
        )
    ]
    identities = [
        {"source": "v", "record_id": one["person_id"], "person_id": one["person_id"]} for one in folk
    ]
    return {"people": folk, "people_private": private, "scores": scores, "identities": identities}


def planned(town, actions=(LETTER, CALL, KNOCK), beliefs=None, **settings):
    told = beliefs or [belief("letter", 0.005), belief("call", 0.02), belief("knock", 0.03)]
    given = {"actions": list(actions), "evidence": told} | town
    values = {"plan_id": "all", "outcome": "voted", "action_names": [one["action"] for one in actions]}
    values |= {"budget_cents": 2_000, "hold_out": 0.0, "election_day": ELECTION, "as_of": TODAY}
    values |= {"rng": np.random.default_rng(1)} | settings
    found = plan_contacts(*(table(name, given.get(name, [])) for name in READ), **values)
    return {name: rows_of(part) for name, part in found.items()}


def sent(found):
    return [row for row in found["contact_plan"] if not row["held_out"]]


def test_every_channel_competes_for_one_budget_and_each_household_gets_one():
    found = planned(a_town(60))
    homes = {(row["household_id"], row["action"]) for row in sent(found)}
    assert len(homes) == len({home for home, _ in homes})
    assert sum(row["cost_cents"] for row in sent(found)) <= 2_000
    plan, *rules = [row for row in found["options"] if row["estimator"] == "aipw"]
    assert plan["reason"] is None
    assert plan["tested"] == 0
    assert plan["gain"] >= max(rule["gain"] for rule in rules if rule["reason"] is None) - 1e-9
    assert found["decisions"][0]["unit"] == "added_ballots"


def test_net_votes_go_to_supporters_and_ballots_to_anyone():
    support = {row["person_id"]: row["value"] for row in a_town(60)["scores"] if row["score"] == "support"}
    ballots = sent(planned(a_town(60), budget_cents=10**6))
    votes = planned(a_town(60), budget_cents=10**6, aim="net_votes")
    assert len({row["household_id"] for row in ballots}) == 30
    assert {support[row["person_id"]] for row in sent(votes)} == {0.9}
    row = sent(votes)[0]
    assert row["net_votes"] == pytest.approx(row["added_ballots"] * 0.8, rel=0.05)
    assert row["unit"] == "net_votes"


def test_winning_weighs_net_votes_by_what_a_vote_is_worth_there():
    worth = [{"race": "r", "place_id": "P0", "value": 1e-3, "std_error": 0.0}]
    worth += [{"race": "r", "place_id": "P1", "value": 0.0, "std_error": 0.0}]
    town = a_town(60, per_home=1) | {"vote_values": worth}
    found = planned(town, aim="win", decisive_race="r", budget_cents=10**6)
    place = {one["person_id"]: one["place_id"] for one in town["people"]}
    assert not sent(found) or {place[row["person_id"]] for row in sent(found)} == {"P0"}
    assert {row["unit"] for row in found["offers"]} == {"win"}


def test_without_a_score_of_support_no_net_vote_is_planned_and_it_says_why():
    found = planned(a_town(10) | {"scores": []}, aim="net_votes")
    assert found["contact_plan"] == []
    assert "no score 'support'" in found["options"][0]["reason"]
    assert "no score 'support'" in found["offers"][0]["reason"]


def test_callers_minutes_and_doors_of_a_place_are_kept():
    found = planned(
        a_town(60),
        budget_cents=10**6,
        minutes={"phone": 25.0},
        doors_per_place=3,
        action_names=["call", "knock"],
    )
    by = {name: {r["household_id"] for r in sent(found) if r["action"] == name} for name in ("call", "knock")}
    assert len(by["call"]) == 5
    assert len(by["knock"]) == 6
    assert "minutes of phone" in found["decisions"][0]["recommendation"]


def test_two_dates_of_one_letter_are_one_kind_and_each_date_has_its_pieces():
    first = an_action("first", "mail", 50, kind="letter", sent_on=datetime.date(2026, 10, 27), most=4)
    second = an_action("second", "mail", 50, kind="letter", sent_on=datetime.date(2026, 10, 29), most=6)
    past = an_action("past", "mail", 50, kind="letter", sent_on=datetime.date(2026, 10, 20))
    told = [belief("first", 0.01), belief("second", 0.009), belief("past", 0.5)]
    found = planned(a_town(60), (first, second, past), told, budget_cents=10**6, contacts_per_household=2)
    homes = {
        name: {r["household_id"] for r in sent(found) if r["action"] == name}
        for name in ("first", "second", "past")
    }
    assert (len(homes["first"]), len(homes["second"]), len(homes["past"])) == (4, 6, 0)
    assert not homes["first"] & homes["second"]


def test_a_refusal_closes_its_channel_for_the_household_and_all_closes_every():
    town = a_town(20)
    town["opt_outs"] = [{"record_source": "v", "record_id": "p000", "channel": "mail"}]
    town["opt_outs"] += [{"record_source": "v", "record_id": "p002", "channel": "all"}]
    found = sent(planned(town, budget_cents=10**6, action_names=["letter"]))
    assert {"h000", "h001"} & {row["household_id"] for row in found} == set()
    found = sent(planned(town, budget_cents=10**6, action_names=["call"]))
    assert "h000" in {row["household_id"] for row in found}
    assert "h001" not in {row["household_id"] for row in found}


def test_whoever_has_voted_is_left_out_and_those_they_live_with_are_not():
    town = a_town(20)
    town["events"] = [
        {
            "person_id": "p000",
            "kind": "ballot",
            "name": "returned",
            "happened_at": datetime.datetime(2026, 10, 20),
        }
    ]
    found = planned(town, budget_cents=10**6)
    assert "p000" not in {row["person_id"] for row in sent(found)}
    assert "p001" in {row["person_id"] for row in sent(found)}
    assert "1 people who have voted" in found["decisions"][0]["recommendation"]


def test_a_telephone_that_two_households_share_is_called_once():
    town = a_town(8)
    for one in town["people_private"]:
        one["phone"] = "5552000000"
    found = sent(planned(town, (CALL,), [belief("call", 0.02)], budget_cents=10**6))
    assert {row["household_id"] for row in found} == {"h000"}


def test_a_household_that_was_reached_lately_rests():
    town = a_town(8)
    town["events"] = [
        {
            "person_id": "p000",
            "kind": "contact",
            "channel": "mail",
            "happened_at": datetime.datetime(2026, 10, 24),
        }
    ]
    found = sent(planned(town, budget_cents=10**6, rest_days=7))
    assert "h000" not in {row["household_id"] for row in found}
    assert "h000" in {row["household_id"] for row in sent(planned(town, budget_cents=10**6, rest_days=1))}


def test_a_budget_of_nothing_sends_nothing_and_says_so():
    found = planned(a_town(20), budget_cents=0)
    assert found["contact_plan"] == []
    assert found["decisions"][0]["recommendation"].startswith("Send nothing: the budget is 0")


def test_a_budget_that_buys_everything_takes_everyone_by_the_best_way():
    found = planned(a_town(20), budget_cents=10**9)
    assert {row["action"] for row in sent(found)} == {"knock"}
    assert len({row["household_id"] for row in sent(found)}) == 10


def test_harm_everywhere_is_an_empty_plan_that_says_why():
    told = [belief(name, -0.01) for name in ("letter", "call", "knock")]
    found = planned(a_town(20), beliefs=told)
    assert found["contact_plan"] == []
    assert "expected to do harm or nothing" in found["decisions"][0]["recommendation"]


def test_a_home_of_forty_gets_one_letter_that_counts_one_person():
    town = a_town(40, per_home=40)
    found = planned(town, (LETTER,), [belief("letter", 0.01)])
    (option, *_) = found["options"]
    assert option["n_households"] == 1
    assert option["gain"] < 0.03
    assert sum(row["is_addressee"] for row in sent(found)) == 1


def test_a_list_that_must_be_longer_than_it_can_be_names_the_limit_and_by_how_much():
    call = CALL | {"smallest": 50}
    with pytest.raises(
        DesignError, match=r"list of call cannot be so long: minutes of phone allow 4, 46 too few"
    ):
        planned(a_town(200), (LETTER, call), minutes={"phone": 20.0}, must=["call"], budget_cents=10**6)


def test_a_list_below_its_smallest_is_left_out_and_said_to_be():
    call = CALL | {"smallest": 50}
    found = planned(a_town(60), (LETTER, call), minutes={"phone": 20.0}, budget_cents=10**6)
    assert {row["action"] for row in sent(found)} == {"letter"}
    assert "shorter than its smallest: call" in found["decisions"][0]["recommendation"]


def test_no_minutes_make_no_calls():
    found = planned(a_town(20), (LETTER, CALL), minutes={"phone": 0.0}, budget_cents=10**6)
    assert {row["action"] for row in sent(found)} == {"letter"}


def test_effects_that_are_not_numbers_are_refused_with_how_many():
    effects = [
        {"person_id": "p000", "experiment": "t", "arm": "x", "outcome": "voted", "as_of": TODAY,
         "estimate": float("nan"), "std_error": 0.1}
    ]  # fmt: skip
    letter = LETTER | {"experiment": "t", "arm": "x"}
    with pytest.raises(DesignError, match=r"Effects of the test t are not numbers.*1 rows"):
        planned(a_town(4) | {"effects": effects}, (letter,))


def test_an_action_of_which_nothing_is_known_is_left_out():
    found = planned(a_town(20), beliefs=[belief("letter", 0.005), belief("call", float("nan"))])
    assert {row["action"] for row in sent(found)} == {"letter"}
    nothing = planned(a_town(20), (CALL,), [belief("letter", 0.1)])
    assert "of call nothing is known" in nothing["decisions"][0]["recommendation"]


def an_own_test(town, gain=0.05):
    """Effects of a test that half of the town was in, with readings around them."""
    rng = np.random.default_rng(5)
    row = {"experiment": "t", "arm": "x", "outcome": "voted", "as_of": TODAY, "std_error": 0.01}
    return [
        row
        | {"person_id": one["person_id"], "estimate": gain}
        | (
            {"aipw": gain / 2 + 0.01 * rng.standard_normal(), "ipw": gain / 2}
            if i < len(town["people"]) / 2
            else {}
        )
        for i, one in enumerate(town["people"])
    ]


def test_what_an_own_test_measured_is_valued_by_outcomes_and_the_rest_by_the_literature():
    town = a_town(400)
    town["effects"] = an_own_test(town)
    letter = LETTER | {"experiment": "t", "arm": "x", "most": 100}
    found = planned(
        town, (letter, CALL), [belief("call", 0.06, 0.01)], budget_cents=10_000, minutes={"phone": 250.0}
    )
    plan = found["options"][0]
    by = {
        name: {r["household_id"] for r in sent(found) if r["action"] == name} for name in ("letter", "call")
    }
    assert len(by["letter"]) == 100
    assert by["call"]
    assert plan["gain"] < plan["predicted"]  # the readings are half of what was predicted
    assert 0 < plan["tested"] < 1
    assert {row["evidence"] for row in sent(found)} == {"own test t", "method of call: the literature alone"}
    alone = planned(town, (letter,), [belief("call", 0.0)], budget_cents=10_000)
    assert alone["options"][0]["tested"] == 1
    assert alone["options"][0]["gain"] == pytest.approx(alone["options"][0]["predicted"] / 2, rel=0.2)


def test_net_votes_of_an_own_test_weigh_its_readings_by_support():
    town = a_town(400)
    town["effects"] = an_own_test(town)
    letter = LETTER | {"experiment": "t", "arm": "x"}
    plan = planned(town, (letter,), [belief("call", 0.0)], budget_cents=5_000, aim="net_votes")["options"][0]
    assert plan["predicted"] == pytest.approx(plan["n_people"] * 0.05 * 0.8, rel=0.02)
    assert plan["gain"] == pytest.approx(plan["predicted"] / 2, rel=0.25)


def held_out(town, **settings):
    names = [name for name, _ in hold_out_households.__stage__.reads]
    given = {"share": 0.3, "as_of": TODAY, "rng": np.random.default_rng(3)} | settings
    return hold_out_households(*(table(name, town.get(name, [])) for name in names), **given)


def test_one_hold_out_binds_every_plan():
    town = a_town(80)
    drawn = rows_of(held_out(town)["holdout"])
    town["holdout"] = drawn
    control = {row["household_id"] for row in drawn if row["held_out"]}
    assert 0 < len(control) < 40
    plans = [
        planned(town, actions, hold_out=None, plan_id=name, budget_cents=10**6)
        for name, actions in (("a", (LETTER,)), ("b", (KNOCK,)))
    ]
    for found in plans:
        assert not control & {row["household_id"] for row in sent(found)}
        assert control == {row["household_id"] for row in found["contact_plan"] if row["held_out"]}
        assert "measures all plans together" in found["decisions"][0]["recommendation"]
        assert found["decisions"][0]["holdout_cost"] >= 0
        assert found["decisions"][0]["n_held_out"] == len(control)


def test_a_plan_that_claims_a_hold_out_beside_the_campaigns_is_refused():
    town = a_town(20)
    town["holdout"] = rows_of(held_out(town)["holdout"])
    with pytest.raises(DesignError, match="two hold-outs claim the same households"):
        planned(town, hold_out=0.1)


def test_without_a_campaigns_hold_out_another_plans_control_is_left_out():
    town = a_town(20)
    town["holdouts"] = [{"plan_id": "other", "household_id": "h001", "held_out": True, "drawn_on": TODAY}]
    found = planned(town, budget_cents=10**6)
    assert "h001" not in {row["household_id"] for row in found["contact_plan"]}
    assert "1 households are the control group of other plans" in found["decisions"][0]["recommendation"]


def test_a_draw_is_kept_joined_by_telephone_and_released_on_its_day():
    town = a_town(40)
    town["people_private"][0]["phone"] = town["people_private"][39]["phone"]
    first = held_out(town)
    drawn = {row["household_id"]: row for row in rows_of(first["holdout"])}
    assert drawn["h000"]["unit_id"] == drawn["h019"]["unit_id"] == "h000"
    assert drawn["h000"]["drawn"] == drawn["h019"]["drawn"]
    town["holdouts"] = rows_of(first["holdouts"])
    again = held_out(town, rng=np.random.default_rng(99), release_on=TODAY)
    assert [row["drawn"] for row in rows_of(again["holdout"])] == [row["drawn"] for row in drawn.values()]
    assert not any(row["held_out"] for row in rows_of(again["holdout"]))


def test_whole_places_are_held_out_for_doors():
    town = a_town(80, per_home=1)
    found = rows_of(held_out(town, unit="place", share=0.5)["holdout"])
    by_place: dict[str, set[bool]] = {}
    for row in found:
        by_place.setdefault(row["unit_id"], set()).add(row["drawn"])
    assert set(by_place) == {"P0", "P1"}
    assert all(len(draws) == 1 for draws in by_place.values())


def test_offers_rise_with_money_and_are_concave_where_the_plan_is_best():
    found = [row for row in planned(a_town(200), budget_cents=4_000)["offers"] if row["way"] == "plan"]
    cost, gain = (np.array([row[name] for row in found]) for name in ("cost_cents", "gain"))
    slope = np.diff(gain) / np.diff(cost)
    assert len(found) >= 10
    assert (np.diff(cost) > 0).all()
    assert (np.diff(slope) < 1e-9).all()
    assert cost[0] == gain[0] == 0
