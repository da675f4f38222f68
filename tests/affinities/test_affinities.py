"""Affinities on a small campaign whose truth is known, and with input that cannot be."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from hustings.affinities.audiences import band
from hustings.errors import DesignError
from messenger_world import ITEMS, TODAY, TRUTH, Small, affinities_of, rows, table


@pytest.fixture(scope="module")
def made():
    return rows(affinities_of(Small()))


def by_pair(found):
    return {(row["audience"], row["item_id"]): row for row in found["affinities"]}


def test_the_truth_lies_in_the_intervals_and_everyone_is_in_an_audience(made):
    found = by_pair(made)
    assert {a for a, _ in found} == {"age under 45", "age 45+"}
    for (audience, item), row in found.items():
        p = 1 / (1 + np.exp(-TRUTH[0 if audience == "age under 45" else 1, ITEMS.index(item)]))
        assert row["low"] <= p <= row["high"]
    assert len(made["audience_members"]) == 4_000
    assert found["age 45+", "bo"]["n_sent"] == pytest.approx(1_333, abs=80)
    assert found["age 45+", "bo"]["amount_cents"] == pytest.approx(2_000, abs=100)


def test_a_messenger_nobody_was_sent_is_told_from_fans_and_widely(made):
    found = by_pair(made)
    young, old = found["age under 45", "dee"], found["age 45+", "dee"]
    assert young["cold_start"]
    assert young["basis"] == "fans"
    assert young["value"] > 1.5 * old["value"]
    tried = found["age under 45", "cy"]
    assert young["high"] / young["low"] > 2 * tried["high"] / tried["low"]


def test_affinities_foretell_better_than_rates_of_items(made):
    row = next(row for row in made["affinity_checks"] if row["measure"] == "log_loss")
    assert row["better_low"] > 0
    recall = next(row for row in made["affinity_checks"] if row["measure"] == "recall")
    assert "too few to hide one" in recall["reason"]


def test_the_log_tells_what_the_best_messenger_of_each_audience_would_have_brought(made):
    ways = {row["way"]: row for row in made["affinity_values"]}
    best = ways["best of audience"]
    truth = np.mean([1 / (1 + np.exp(2.0)), 1 / (1 + np.exp(2.6))])
    assert best["low"] < truth < best["high"]
    assert ways["at random"]["advantage_low"] > 0
    assert ways["as sent"]["mean_weight"] == pytest.approx(1)


def test_an_event_counts_for_the_latest_send_within_the_horizon_only():
    small = Small(n=400)
    late = small.columns["events"]["happened_at"] + np.timedelta64(7, "D")
    found = rows(affinities_of(small, events=small.table("events", happened_at=late)))
    # Eight days after the send: the horizon of 7 days is over.
    assert sum(row["n_responded"] for row in found["affinities"]) == 0
    assert "nobody responded" in found["affinities"][0]["reason"]
    assert found["affinity_values"] == []


def test_nothing_of_the_day_or_later_is_used():
    small = Small(n=400)
    early = datetime.date(2026, 9, 5)
    found = rows(affinities_of(small, as_of=early))
    assert "is 7 days old" in found["affinities"][0]["reason"]


@pytest.mark.parametrize(("value", "words"), [(np.nan, "have no probability"), (0.0, "probability of 0")])
def test_a_log_without_probabilities_gives_affinities_and_no_values(value, words):
    small = Small(n=2_000)
    p = small.columns["record_sends"]["propensity"].copy()
    p[:5] = value
    found = rows(affinities_of(small, record_sends=small.table("record_sends", propensity=p)))
    assert found["affinities"][0]["value"] is not None
    for row in found["affinity_values"]:
        assert words in row["reason"]
        assert row["value"] is None


def test_a_small_log_is_refused_for_lack_of_effective_recipients():
    found = rows(affinities_of(Small(n=600), fewest_recipients=500.0))
    best = next(row for row in found["affinity_values"] if row["way"] == "best of audience")
    assert "effective recipients" in best["reason"]


def test_tastes_of_other_kinds_are_ranked_beside_popularity():
    small = Small(n=1_500)
    rng = np.random.default_rng(5)
    items = [f"m{k}" for k in range(8)]
    likes = rng.random((1_500, 8)) < np.where(small.young[:, None] == (np.arange(8) < 4), 0.5, 0.1)
    who, what = np.nonzero(likes)
    own = small.columns["events"]
    sent = small.columns["record_sends"]
    n = who.size
    early = np.full(n, np.datetime64("2026-08-01", "us"))
    events = {
        "source": own["source"] + ["h"] * n, "event_id": [*own["event_id"], *(f"h{k}" for k in range(n))],
        "person_id": np.append(own["person_id"], small.ids[who]), "kind": own["kind"] + ["listen"] * n,
        "item": np.append(np.array(["m0", "m4", "m1"])[[ITEMS.index(i) for i in own["item"]]], np.array(items)[what]),
        "happened_at": np.append(own["happened_at"], early), "arrived_at": np.append(own["arrived_at"], early),
    }  # fmt: skip
    renamed = np.array(["m0", "m4", "m1"])[[ITEMS.index(i) for i in sent["item_id"]]]
    found = rows(
        affinities_of(
            small,
            events=table("events", events),
            items=table("items", {"source": ["i"] * 8, "item_id": items, "kind": ["messenger"] * 8,
                                  "arrived_at": [np.datetime64("2026-01-01", "us")] * 8}),
            record_sends=small.table("record_sends", item_id=renamed),
            item_audiences=table("item_audiences", {}),
        )
    )  # fmt: skip
    checks = {row["measure"]: row for row in found["affinity_checks"]}
    assert checks["recall"]["better_low"] > 0
    pair = by_pair(found)
    assert pair["age under 45", "m2"]["basis"] == "tastes"
    assert pair["age under 45", "m2"]["value"] > pair["age 45+", "m2"]["value"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"item_kinds": ["song"]}, "has no items"),
        ({"by": ["height"]}, "cannot be divided by"),
        ({"ages": [45, 30]}, "increasing numbers"),
        ({"score_cuts": {"support": [0.5]}}, "which was not made"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(settings, words):
    with pytest.raises(DesignError, match=words):
        affinities_of(Small(n=100), **settings)


def test_an_audience_of_nobody_is_refused():
    with pytest.raises(DesignError, match="no people"):
        affinities_of(Small(n=100), people=table("people", {}))


def test_small_audiences_are_put_together():
    small = Small(n=400)
    sex = ["x"] * 5 + ["female"] * 395
    found = rows(affinities_of(small, people=small.table("people", sex=sex), by=["sex"], fewest_people=20))
    assert {row["audience"] for row in found["affinities"]} == {"female", "others"}


def test_an_age_group_that_is_none_is_refused():
    with pytest.raises(DesignError, match="cannot be read"):
        band("the young")
    assert TODAY.year == 2026
