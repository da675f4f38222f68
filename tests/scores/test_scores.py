"""Scores as they are declared: labels after the day, features before it, rivals, reasons, and no leak."""

from __future__ import annotations

import json

import numpy as np
import pytest

from electorate import DAY, TODAY, D, World, run
from hustings.errors import DesignError
from hustings.scores.declared import Answer, Happening, Population

GIFT = Happening(kind="gift")
LATER = D(2026, 6, 20)


@pytest.fixture(scope="module")
def world() -> World:
    made = World()
    r = made.rng
    made.happen("gift", LATER, r.random(made.n) < made.chance(1.2, -1), value=made.sizes())
    code = np.clip(np.round(3 - made.trait + 0.8 * r.standard_normal(made.n)), 1, 5)
    made.happen("canvass", LATER, r.random(made.n) < 0.6, name="support", value=code)
    made.outcome("voted", D(2026, 8, 4), r.random(made.n) < made.chance(1.0), arrived=D(2026, 10, 1))
    # A vendor who knows the trait itself, told before the day.
    made.happen("score", D(2026, 5, 1), np.ones(made.n, bool), name="acme", value=100 * made.chance(1.2, -1))
    made.happen("attribute", D(2026, 5, 1), np.ones(made.n, bool), name="origin", item=np.where(r.random(made.n) < 0.3, "one", "two"))  # fmt: skip
    return made


@pytest.fixture(scope="module")
def tables(world):
    return world.tables()


def test_an_outcome_is_learned_as_before(tables):
    row, scores = run(tables, outcome="voted")
    assert row["published"], row["reason"]
    assert row["rule"] == "share_voted"
    assert len(scores) == 1500
    assert scores["value"].between(0, 1).all()
    assert set(scores["unit"]) == {"share"}
    assert scores["out_of_sample"].all()


def test_an_event_within_a_horizon_is_learned_from_the_latest_day_that_is_over(tables, world):
    row, scores = run(tables, event=GIFT, horizon_days=44, rule="days_since_last_gift")
    assert row["as_of"] == DAY
    assert row["published"], row["reason"]
    assert row["purpose"] == "the probability of gift within 44 days"
    assert abs(scores["value"].mean() - row["rate"]) < 0.05
    assert np.corrcoef(scores["value"], world.trait)[0, 1] > 0.5
    assert not scores["out_of_sample"].any()


def test_that_nothing_happens_is_the_other_side_of_it(tables):
    there, _ = run(tables, event=GIFT, horizon_days=44)
    gone, _ = run(tables, event=GIFT, horizon_days=44, absent=True, population=Population(did=GIFT))
    assert gone["purpose"] == "the probability of no gift within 44 days"
    assert gone["n_people"] < there["n_people"] == 1500
    assert gone["rate"] > 0.4


def test_answers_become_a_yes_or_no_and_others_are_left_out(tables, world):
    asked = Answer(kind="canvass", name="support", yes=[1, 2], no=[4, 5])
    row, scores = run(tables, answer=asked, trained_as_of=DAY)
    heard = [r for r in world.rows if r["kind"] == "canvass"]
    assert row["n_people"] == sum(r["value"] != 3 for r in heard) < len(heard)
    assert row["rule"] == "party"
    assert np.corrcoef(scores["value"], world.trait)[0, 1] > 0.5


def test_amounts_have_right_totals_and_beat_the_last_amount_or_are_not_published(tables, world):
    row, scores = run(tables, event=GIFT, amount=True, horizon_days=44)
    card = json.loads(row["card"])
    assert 0.7 < card["totals"]["low"] < 1 < card["totals"]["high"] < 1.4
    assert row["log_loss"] is None
    assert row["mean_error"] < row["rule_mean_error"] * 1.05
    if row["published"]:
        assert set(scores["unit"]) == {"amount"}
        assert np.corrcoef(scores["value"], world.trait)[0, 1] > 0.4
    else:
        assert "does not beat the rule of thumb last_gift_value" in row["reason"]


def test_a_vendor_is_one_more_rival_and_a_better_vendor_wins(tables):
    row, scores = run(tables, event=GIFT, horizon_days=44, vendor="acme")
    assert [r["name"] for r in json.loads(row["card"])["rivals"]] == ["days_since_last_gift", "acme"]
    assert row["rule"] == "acme"
    assert not row["published"]
    assert "does not beat the vendor's score acme" in row["reason"]
    assert scores.empty
    used, _ = run(tables, event=GIFT, horizon_days=44, vendor="acme", vendor_is_feature=True)
    assert json.loads(used["card"])["importance"][0]["feature"] == "vendor"
    assert used["auc"] > row["auc"]


def test_a_population_is_learned_from_and_scored_alone(tables, world):
    among = Population(party=["A"], min_age=30, did=Happening(kind="gift", within_days=150))
    row, scores = run(tables, event=GIFT, horizon_days=44, population=among)
    assert "party A; aged at least 30; did before: gift, within 150 days" in row["population"]
    party = dict(zip(world.ids, world.party, strict=True))
    assert {party[p] for p in scores["person_id"]} <= {"A"}
    assert row["n_people"] < 800


def test_the_card_tells_groups_and_what_the_campaign_protects(tables):
    row, _ = run(tables, outcome="voted", protected=["origin", "party"])
    groups = json.loads(row["card"])["groups"]
    assert {g["column"] for g in groups} == {"age", "sex", "place", "origin", "party"}
    assert {g["group"] for g in groups if g["column"] == "origin"} == {"one", "two"}
    assert sum(g["n"] for g in groups if g["column"] == "age") == row["n_people"]
    with pytest.raises(DesignError, match="protected: no column, and no attribute"):
        run(tables, outcome="voted", protected=["origins"])


def test_the_card_is_whole(tables):
    card = json.loads(run(tables, outcome="voted")[0]["card"])
    assert {"reliability", "rule_reliability", "gain", "rule_gain", "importance", "groups", "drift", "rivals", "level", "slope", "pooling", "candidates", "trained"} <= set(card)  # fmt: skip
    assert len(card["importance"]) == 5
    assert card["slope"]["low"] < 1 < card["slope"]["high"]
    assert card["drift"]["score"] < 0.1
    assert card["validation"] == "grouped by household"


def planted(arrived: D, happened: D) -> World:
    """A world whose answer is written into an event of a past kind."""
    made = World(1000, seed=5)
    answer = made.rng.random(made.n) < 0.5
    made.outcome("voted", D(2026, 7, 20), answer)
    made.happen("gift", happened, answer, arrived=arrived, value=777.0)
    made.happen("vote", happened, answer, arrived=arrived, name="planted")
    made.happen("contact", happened, answer, arrived=arrived, channel="mail")
    made.happen("score", happened, np.ones(made.n, bool), arrived=arrived, name="acme", value=answer * 1.0)
    return made


@pytest.mark.parametrize(
    ("arrived", "happened"), [(TODAY, D(2026, 7, 16)), (D(2026, 7, 16), D(2026, 7, 1)), (D(2026, 7, 20), D(2026, 7, 15))]
)  # fmt: skip
def test_an_answer_planted_in_a_later_event_is_not_found(arrived, happened):
    """Later by the day that it happened, or by the day that it arrived."""
    row, _ = run(planted(arrived, happened).tables(), outcome="voted", vendor="acme", vendor_is_feature=True)
    assert abs(row["auc"] - 0.5) < 4 * row["auc_error"] + 0.02
    assert not row["published"]


def test_the_same_answer_planted_before_the_day_is_found_and_refused():
    row, scores = run(planted(D(2026, 7, 1), D(2026, 7, 1)).tables(), outcome="voted")
    assert "tells voted perfectly: it was probably written after the fact" in row["reason"]
    assert scores.empty


def test_labels_of_an_earlier_day_are_those_known_by_today():
    made = World(1000)
    made.happen("gift", LATER, np.arange(made.n) < 300, value=500.0)
    made.happen("gift", LATER, np.arange(made.n) >= 700, arrived=D(2026, 9, 1), value=500.0)
    made.happen("gift", D(2026, 7, 20), np.arange(made.n) >= 500, value=500.0)
    row, _ = run(made.tables(), event=GIFT, horizon_days=44)
    assert row["rate"] == pytest.approx(0.3)


def test_with_several_days_the_latest_is_predicted_from_the_earlier():
    made = World(1200, seed=3)
    days = (D(2026, 2, 15), D(2026, 3, 15), D(2026, 4, 15))
    for day in (D(2026, 6, 10), D(2026, 6, 11)):
        made.happen("gift", day, made.rng.random(made.n) < made.chance(1.2, -1), value=made.sizes())
    row, scores = run(
        made.tables(*days),
        event=GIFT,
        horizon_days=30,
        trained_as_of=DAY,
        earlier=list(days),
        rule="is_female",
    )
    card = json.loads(row["card"])
    assert card["validation"] == "forward in time"
    assert [t["as_of"] for t in card["trained"]] == [str(d) for d in (*days, DAY)]
    assert row["n_people"] == 4 * made.n
    assert sum(b["n"] for b in card["reliability"]) == made.n
    # Two gifts instead of one follow the latest day: a model of the past is too low, and the card says so.
    assert card["level"]["low"] > 0.02
    assert row["published"]
    assert not scores["out_of_sample"].any()


def test_the_people_of_treated_arms_are_left_out_unless_drawn_after_the_horizon(world):
    made = World(1000)
    made.happen("gift", LATER, made.rng.random(made.n) < 0.4, value=500.0)
    for when, n in ((D(2026, 6, 10), 500), (D(2026, 7, 15), 1000)):
        made.drawn = [
            {"experiment": "t", "person_id": p, "arm": "mail" if i % 2 else "control", "assigned_on": when}
            for i, p in enumerate(made.ids)
        ]
        assert run(made.tables(), event=GIFT, horizon_days=44)[0]["n_people"] == n


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "exactly one of outcome, event, answer"),
        ({"outcome": "voted", "event": GIFT}, "exactly one of outcome, event, answer"),
        ({"event": GIFT}, "horizon_days is missing"),
        ({"outcome": "voted", "absent": True}, "absent = true"),
        ({"event": GIFT, "horizon_days": 44, "absent": True, "amount": True}, "absent = true"),
        ({"event": Happening(kind="gift", within_days=3), "horizon_days": 44}, "within_days"),
        ({"outcome": "voted", "rule": "share_votes"}, "did you mean 'share_voted'"),
        ({"outcome": "voted", "trained_as_of": D(2026, 7, 16)}, "trained_as_of is after as_of"),
        ({"outcome": "voted", "earlier": [TODAY]}, "a day that is not earlier"),
        ({"outcome": "voted", "trained_as_of": D(2026, 5, 5)}, "add 2026-05-05 to moments in .features."),
        ({"event": GIFT, "horizon_days": 60, "trained_as_of": DAY}, "are not over: as_of is 2026-07-15.*at most 44 days"),
        ({"event": GIFT, "horizon_days": 60, "trained_as_of": TODAY}, "are not over: the newest event arrived on"),
        ({"outcome": "voted", "vendor": "acne"}, "no vendor's score of that name; received 'acne'"),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_refused(tables, settings, why):
    with pytest.raises(DesignError, match=why):
        run(tables, **settings)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"party": []}, "party names nobody"),
        ({"min_age": 40, "max_age": 30}, "min_age is above max_age"),
        ({"partys": ["A"]}, "Extra inputs"),
        ({"did": {"kind": "gift", "within_days": 0}}, "greater than or equal to 1"),
    ],
)
def test_a_population_that_cannot_be_is_refused(given, why):
    with pytest.raises(ValueError, match=why):
        Population.model_validate(given)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"kind": "canvass", "yes": [1]}, "belong together"),
        ({"kind": "canvass", "yes": [1], "no": [1]}, "both yes and no"),
    ],
)
def test_answers_that_contradict_each_other_are_refused(given, why):
    with pytest.raises(ValueError, match=why):
        Answer.model_validate(given)


def test_what_cannot_be_learned_from_has_a_reason():
    made = World(600)
    few = np.arange(600) < 5
    for name, values in (
        ("same", np.ones(600)), ("few", few), ("count", np.arange(600.0)),
        ("infinite", np.r_[np.inf, np.inf, np.ones(598)]), ("negative", np.r_[-1.0, np.ones(599)]),
    ):  # fmt: skip
        made.outcome(name, D(2026, 8, 4), values)
    tables = made.tables()

    def reason(outcome: str, **settings: bool) -> str:
        row, scores = run(tables, outcome=outcome, **settings)
        assert not row["published"]
        assert scores.empty
        return row["reason"]

    assert "everybody has the same outcome of same: 600 people, all yes" in reason("same")
    assert "only 5 people differ" in reason("few")
    assert "not yes or no" in reason("count")
    assert "2 amounts of infinite are infinite" in reason("infinite", amount=True)
    assert "1 amounts of negative are below nought" in reason("negative", amount=True)
    assert "only 5 people have an amount" in reason("few", amount=True)
    assert "nobody outside a treated arm" in reason("nothing")


def test_a_missing_amount_leaves_its_person_out_and_is_counted():
    made = World(1000)
    size = np.where(np.arange(1000) % 10 == 0, np.nan, made.sizes())
    made.happen("gift", LATER, made.rng.random(1000) < 0.5, value=size)
    row, _ = run(made.tables(), event=GIFT, amount=True, horizon_days=44)
    left = json.loads(row["card"])["left_out"]["people whose amount is missing"]
    assert 20 < left < 90
    assert row["n_people"] == 1000 - left


def test_the_same_seed_gives_the_same_scores_on_one_core_and_on_four(tables, monkeypatch):
    found = []
    for cores in (1, 4):
        monkeypatch.setattr("hustings.scores.parts.os.cpu_count", lambda cores=cores: cores)
        found.append(run(tables, outcome="voted")[1]["value"].to_numpy())
    assert np.array_equal(*found)


def test_a_model_that_sees_no_more_than_the_rule_is_not_published():
    made = World(1000, seed=9)
    made.outcome("coin", D(2026, 8, 4), made.rng.random(made.n) < 0.5)
    row, scores = run(made.tables(), outcome="coin")
    assert not row["published"]
    assert "does not beat the rule of thumb share_voted" in row["reason"]
    assert scores.empty


def pooling(tables, **settings):
    return json.loads(run(tables, **settings)[0]["card"])["pooling"]


def test_places_are_pooled_by_answers_of_neighbours_and_not_by_what_they_did_on_the_very_day():
    made = World(3000, seed=4, n_places=100)
    shift = np.where(made.place % 2 == 0, 0.9, -0.9)
    for name, add in (("apart", shift), ("alike", 0 * shift)):
        said = made.rng.random(made.n) < 1 / (1 + np.exp(-(made.trait + add)))
        made.happen("canvass", LATER, np.ones(made.n, bool), name=name, value=said * 1.0)
        made.outcome(name, D(2026, 8, 4), said)
    tables = made.tables()
    for name in ("apart", "alike"):
        told = pooling(tables, answer=Answer(kind="canvass", name=name, yes=[1], no=[0]), trained_as_of=DAY)
        assert told["kept"] == (name == "apart")
        assert told["kept"] == (told["gain_low"] > 0)
        assert told["n_places"] == 100
    card = json.loads(run(tables, outcome="apart")[0]["card"])
    assert "the very day that is judged" in card["pooling"]["why_not"]
    assert card["validation"] == "grouped by household and place"


def test_a_few_places_are_not_told_apart_by_what_is_known_of_them():
    """Places of one precinct each: whoever lives there has their turnout, and nothing else tells anybody apart."""
    made = World(1500, seed=4)
    made.trait = 2.0 * (made.place % 2 == 0) - 1.0
    made.outcome("voted", D(2026, 8, 4), made.rng.random(made.n) < made.chance(1.0))
    row, _ = run(made.tables(), outcome="voted", rule="age")
    assert not {"place_age", "place_people", "place_share_voted"} & set(json.loads(row["card"])["features"])
    assert row["auc"] < 0.55


@pytest.mark.parametrize("lasts", [True, False])
def test_with_earlier_days_a_place_is_pooled_where_its_difference_lasts(lasts):
    made = World(3000, seed=4, n_places=100)
    shift = np.where(made.place % 2 == 0, 0.9, -0.9)
    for day, add in ((D(2026, 5, 1), shift), (LATER, shift if lasts else -shift)):
        made.happen("shift", day, made.rng.random(made.n) < 1 / (1 + np.exp(-(made.trait + add))))
    before = D(2026, 4, 15)
    told = pooling(made.tables(before), event=Happening(kind="shift"), horizon_days=44, earlier=[before])
    assert told["kept"] == lasts
    assert (told["after"] < told["before"]) == lasts


def test_an_outcome_known_before_the_day_may_be_seen_and_one_of_later_may_not():
    made = World(1000, seed=6)
    coin = made.rng.random(made.n) < 0.5
    made.outcome("it", D(2026, 8, 4), coin)
    for name, day in (("hint", D(2026, 5, 1)), ("late", D(2026, 7, 15))):
        made.outcome(name, day, coin + made.rng.standard_normal(made.n))
    tables = made.tables()
    found, _ = run(tables, outcome="it", also_known=["hint"])
    assert json.loads(found["card"])["importance"][0]["feature"] == "hint"
    assert found["auc"] > 0.7
    assert run(tables, outcome="it", also_known=["late"])[0]["auc"] < 0.6
    with pytest.raises(DesignError, match="also_known: no outcome 'hints'"):
        run(tables, outcome="it", also_known=["hints"])
