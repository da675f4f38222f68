"""Effects: rows and cards of tiny tests, what they say when there is nothing to say, and decay."""

from __future__ import annotations

import datetime
import json

import ibis
import numpy as np
import pyarrow as pa
import pytest

from hustings.errors import DesignError
from hustings.experiments.effects import estimate_effects
from hustings.tables import spec

DAY = datetime.date(2026, 7, 1)
ELECTION = datetime.date(2026, 7, 15)
TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "day": pa.date32(), "time": pa.timestamp("us")}  # fmt: skip


def table(name: str, rows: dict) -> ibis.Table:
    """A table of that name; columns that are not given are null."""
    n = len(next(iter(rows.values())))
    columns = spec(name).columns
    arrays = [pa.array(list(rows.get(column.name, [None] * n)), TYPES[column.type]) for column in columns]
    return ibis.memtable(pa.table(arrays, names=[column.name for column in columns]))


def effects(value, arm, age, **more):
    """The stage on people of one test who live alone; `value` NaN for an unknown outcome."""
    n = len(arm)
    who = [f"p{i:05d}" for i in range(n)]
    labels = sorted(set(arm), key=lambda label: (label != "control", label))
    counts = [list(arm).count(label) for label in labels]
    known = [i for i in range(n) if not np.isnan(value[i])]
    told = more.pop("earlier", {})
    given = {
        "assignments": table("assignments", {"person_id": who, "experiment": ["t"] * n, "arm": list(arm), "unit_id": who, "assigned_on": [DAY] * n}),
        "outcomes": ibis.union(
            table("outcomes", {"person_id": [who[i] for i in known], "outcome": ["voted"] * len(known), "value": [float(value[i]) for i in known], "happened_on": [ELECTION] * len(known)}),
            *(table("outcomes", {"person_id": who, "outcome": [name] * n, "value": list(values), "happened_on": [day] * n}) for name, (day, values) in told.items()),
        ) if told else table("outcomes", {"person_id": [who[i] for i in known], "outcome": ["voted"] * len(known), "value": [float(value[i]) for i in known]}),
        "features": table("features", {"person_id": who, "as_of": [DAY] * n, "age": list(age)}),
        "people": table("people", {"person_id": who, "household_id": who}),
        "experiments": table("experiments", {"experiment": ["t"] * len(labels), "arm": labels, "is_control": [label == "control" for label in labels], "n_people": counts, "actual_share": [count / n for count in counts]}),
        "actions": table("actions", {"action": ["send"], "experiment": ["t"], "arm": ["letter"], "unit_cost_cents": [50], "reaches": ["household"]}),
    }  # fmt: skip
    found = estimate_effects(
        *given.values(),
        experiment="t",
        outcome="voted",
        as_of=DAY,
        election_day=ELECTION,
        rng=np.random.default_rng(0),
        **more,
    )
    model = {name: values[0] for name, values in found["models"].items()}
    return found["effects"], model, json.loads(model["card"])


def people(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    arm = np.where(rng.random(n) < 0.5, "control", "letter")
    age = rng.uniform(18, 90, n).astype(np.float32).astype(float)
    return rng, arm, age


def test_everyone_in_the_test_gets_an_effect_a_reading_and_an_error():
    rng, arm, age = people()
    value = (rng.random(3000) < 0.3 + 0.15 * (arm == "letter")).astype(float)
    rows, model, card = effects(value, arm, age)
    assert len(rows["person_id"]) == 3000
    assert np.mean(rows["estimate"]) == pytest.approx(0.15, abs=0.06)
    assert np.isfinite(rows["aipw"]).all()
    assert np.all(rows["std_error"] > 0)
    assert model["reason"] is None
    assert card["verdict"]["word"] in ("everyone", "target")
    assert [step["learner"] for step in card["ladder"]][0] == "the same effect for all"
    assert sum(step["chosen"] for step in card["ladder"]) == 1
    assert model["learner"] in {step["learner"] for step in card["ladder"]}


def test_a_letter_that_does_nothing_is_for_no_one_in_words():
    rng, arm, age = people(seed=1)
    _, _, card = effects((rng.random(3000) < 0.3).astype(float), arm, age)
    assert card["verdict"]["word"] == "no one"
    assert "No gain is proven" in card["arms"][0]["verdict"]["sentence"]


def test_amounts_have_effects_in_their_own_unit():
    rng, arm, age = people(seed=2)
    value = np.where(rng.random(3000) < 0.2, rng.exponential(30, 3000), 0) + 5.0 * (arm == "letter")
    rows, model, _ = effects(value, arm, age)
    assert model["reason"] is None
    assert np.mean(rows["estimate"]) == pytest.approx(5.0, abs=2)


def test_an_effect_halves_by_its_half_life():
    rng, arm, age = people(seed=3)
    value = (rng.random(3000) < 0.3 + 0.15 * (arm == "letter")).astype(float)
    now, _, _ = effects(value, arm, age)
    later, _, card = effects(
        value, arm, age, half_life_days=7.0, measured_on=ELECTION - datetime.timedelta(14)
    )
    for name in ("estimate", "aipw", "ipw"):
        assert later[name] == pytest.approx(now[name] / 4)
    assert card["left_by_election_day"] == pytest.approx(0.25)
    # The slope of 2^(-14 / h) in log h, times the error of log h, but for its curvature.
    assert card["left_error"] == pytest.approx(0.25 * 2 * np.log(2) * np.log(1.4), rel=0.1)
    own = card["left_error"] * np.array(now["estimate"])
    assert later["std_error"] == pytest.approx(np.hypot(now["std_error"] / 4, own))
    sure, _, _ = effects(
        value,
        arm,
        age,
        half_life_days=7.0,
        half_life_factor=1.0,
        measured_on=ELECTION - datetime.timedelta(14),
    )
    assert sure["std_error"] == pytest.approx(now["std_error"] / 4)


def test_what_a_cent_brings_among_the_best_ranked_is_on_the_card():
    rng, arm, age = people(6000, seed=3)
    value = (rng.random(6000) < 0.3 + 0.4 * (arm == "letter") * (age > 54)).astype(float)
    (letter,) = effects(value, arm, age)[2]["arms"]
    assert letter["cost_cents"] == 50
    for share, gain, worth in zip(letter["gains_at"], letter["gains"], letter["gains_per_cost"], strict=True):
        assert worth["value"] == pytest.approx(gain["value"] / (50 * share), rel=0.05)
        assert worth["low"] > 0


def test_an_earlier_outcome_may_be_known_and_one_of_after_the_draw_may_not():
    rng, arm, age = people(6000, seed=4)
    lean = rng.standard_normal(6000)
    value = (rng.random(6000) < 1 / (1 + np.exp(-1.5 * lean))).astype(float)
    before = DAY - datetime.timedelta(1)
    _, _, plain = effects(value, arm, age)
    _, model, card = effects(value, arm, age, also_known=["lean"], earlier={"lean": (before, lean)})
    assert "lean" in card["features"]
    errors = [told["arms"][0]["verdict"]["average_error"] for told in (plain, card)]
    assert errors[1] < 0.9 * errors[0]
    rows, model, card = effects(value, arm, age, also_known=["lean"], earlier={"lean": (DAY, lean)})
    assert "lean was measured on the day of the draw or later for 6,000 people" in model["reason"]
    assert not len(rows["person_id"])
    with pytest.raises(DesignError, match="also_known: no outcome 'leen'"):
        effects(value, arm, age, also_known=["leen"])


def test_a_half_life_without_a_day_of_measurement_is_refused():
    rng, arm, age = people(400)
    with pytest.raises(DesignError, match="measured_on"):
        effects((rng.random(400) < 0.3).astype(float), arm, age, half_life_days=7.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda value, arm, age: (np.ones_like(value), arm, age), "same outcome"),
        (lambda value, arm, age: (np.full_like(value, np.inf), arm, age), "not a finite number"),
        (lambda value, arm, age: (np.full_like(value, np.nan), arm, age), "nobody whose outcome"),
        (lambda value, arm, age: (value, np.full(len(arm), "control"), age), "only one arm"),
        (lambda value, arm, age: (value, arm, np.full(len(arm), 50.0)), "nothing is known"),
        (lambda value, arm, age: (value[:8], np.tile(["control", "letter"], 4), age[:8]), "too few"),
    ],
)
def test_where_there_is_no_number_there_is_a_reason(change, reason):
    rng, arm, age = people(400)
    rows, model, card = effects(*change((rng.random(400) < 0.3).astype(float), arm, age))
    assert not len(rows["person_id"])
    assert reason in model["reason"]
    assert not model["published"]
    assert card == {}
