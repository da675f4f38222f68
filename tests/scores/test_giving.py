"""Giving: from gifts in the events to who will give, judged forward in time."""

from __future__ import annotations

import datetime
import json

import ibis
import numpy as np
import pyarrow as pa
import pytest

from hustings.errors import DesignError
from hustings.scores import gifts as read
from hustings.scores.giving import expect_gifts
from hustings.tables import spec

AS_OF = datetime.date(2026, 1, 1)
START = datetime.datetime(2023, 1, 2)
LENGTH = 1_095


def events(rows: list[tuple], **more) -> ibis.Table:
    """Gifts: (person, day since the start, cents[, days until it arrived])."""
    when = [START + datetime.timedelta(days=float(row[1]), hours=10) for row in rows]
    late = [datetime.timedelta(days=row[3] if len(row) > 3 else 0.2) for row in rows]
    columns = {
        "source": ["s"] * len(rows),
        "event_id": [str(i) for i in range(len(rows))],
        "person_id": [f"p{row[0]}" for row in rows],
        "kind": [more.get("kind", "gift")] * len(rows),
        "value": pa.array([row[2] for row in rows], pa.float64()),
        "happened_at": pa.array(when, pa.timestamp("us")),
        "arrived_at": pa.array([a + b for a, b in zip(when, late, strict=True)], pa.timestamp("us")),
    }
    return ibis.memtable(pa.table(columns))


def people(n: int) -> ibis.Table:
    return ibis.memtable(
        {"person_id": [f"p{i}" for i in range(n)], "household_id": [f"h{i // 2}" for i in range(n)]}
    )


def simulated(n: int, seed: int) -> list[tuple]:
    rng = np.random.default_rng(seed)
    begin, rate, stop = rng.integers(0, 800, n), rng.gamma(0.8, 1 / 150, n), rng.beta(0.9, 3, n)
    scale = 1 / rng.gamma(3.5, 1 / 6000, n)
    found = []
    for i in range(n):
        at = float(begin[i])
        while at < LENGTH:
            found.append((i, int(at), round(rng.gamma(4) * scale[i]) + 100))
            if rng.random() < stop[i]:
                break
            at += rng.exponential(1 / rate[i])
    return found


def run(table: ibis.Table, n: int, **settings) -> tuple[dict, dict, dict]:
    given = {"giving": "donors", "as_of": AS_OF, "rng": np.random.default_rng(1)} | settings
    made = expect_gifts(table, people(n), **given)
    row = {name: values[0] for name, values in made["models"].items()}
    return made["giving"], row, json.loads(row["card"])


@pytest.fixture(scope="module")
def donors():
    return run(events(simulated(2_500, 1)), 2_500)


def test_what_is_expected_is_what_comes(donors):
    _, row, card = donors
    assert row["published"], row["reason"]
    total = card["total"]
    assert total["gifts_low"] < total["gifts_actual"] < total["gifts_high"]
    assert total["cents_low"] < total["cents_actual"] < total["cents_high"]
    assert row["calibration_error"] < 0.04
    assert row["learner"] == "BG/NBD"
    assert set(card["candidates"]) == {"bg_nbd", "bg_bb"}


def test_the_rules_of_thumb_stand_beside_it(donors):
    _, row, card = donors
    assert row["rule"] == "rfm"
    assert row["gain_low"] > 0
    assert row["auc"] > row["rule_auc"]
    for figure in ("rank_correlation_with_cents", "cents_from_top_tenth"):
        assert set(card[figure]) == {"model", "rfm", "gave_last_year"}
        assert (
            card[figure]["model"]["low"] < card[figure]["model"]["estimate"] < card[figure]["model"]["high"]
        )


def test_every_giver_has_a_row_and_every_gap_a_reason(donors):
    rows, row, _ = donors
    assert set(rows) == set(spec("giving").names)
    assert set(row) == set(spec("models").names)
    assert len(rows["person_id"]) == len(set(rows["person_id"])) == 2_500
    once = np.isnan(rows["p_donor"])
    assert np.array_equal(once, rows["n_gifts"] == 1)
    assert all("second gift" in text for text in rows["reason"][once])
    assert not any(rows["reason"][~once])
    for name in ("gifts", "value"):
        low, mid, high = (rows[f"expected_{name}{end}"] for end in ("_low", "", "_high"))
        assert np.all((low < mid) & (mid < high))
    assert np.all((rows["p_gift"] > 0) & (rows["p_gift"] < 1))
    assert rows["until_on"][0] == datetime.date(2026, 4, 1)


def test_opportunities_can_be_asked_for():
    rows, row, card = run(events(simulated(2_500, 2)), 2_500, model="bg_bb", period_days=45)
    assert row["learner"] == "BG/BB"
    assert not np.isnan(rows["p_donor"]).any()
    assert card["total"]["gifts_low"] < card["total"]["gifts_actual"] < card["total"]["gifts_high"]


def test_a_discount_makes_money_to_come_less():
    table = events(simulated(1_500, 3))
    plain, cheap = (run(table, 1_500, discount=rate, model="bg_nbd")[0] for rate in (0.0, 0.5))
    ratio = np.asarray(cheap["expected_value"]) / np.asarray(plain["expected_value"])
    assert np.all((ratio > 1.5**-0.2464) & (ratio < 1))
    assert np.array_equal(plain["expected_gifts"], cheap["expected_gifts"])


def test_no_answer_of_later_days_is_used():
    """A gift on the day itself, and one that was made before it and arrived after it, change nothing."""
    before = simulated(400, 4)
    later = [(0, LENGTH + 1, 9e9), (1, LENGTH - 40, 9e9, 100.0)]
    one, two = (
        read.read_gifts(events(rows), people(400), "gift", AS_OF, ledger=True)
        for rows in (before, before + later)
    )
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a, b)


def test_what_arrived_late_was_not_known_when_judging():
    rows = [(0, 10, 500.0), (1, 20, 500.0, 500.0)]
    cut = read.days((START + datetime.timedelta(days=100)).date())
    strict, ledger = (
        read.describe(
            read.read_gifts(events(rows), people(2), "gift", AS_OF, ledger=known), cut, 30, "bg_nbd"
        )
        for known in (False, True)
    )
    assert len(strict.person) == 1
    assert len(ledger.person) == 2


def test_a_ledger_that_came_in_one_file_says_how_to_be_judged():
    rows = [(*row, LENGTH - row[1] - 0.5) for row in simulated(300, 5)]
    found, row, _ = run(events(rows), 300)
    assert "ledger = true" in row["reason"]
    assert not found["person_id"]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "nobody is known to have given"),
        ([(i, 1_000 + i % 60, 500.0) for i in range(50)], "gifts go back"),
        ([(i, 10 + i, 500.0) for i in range(200)], "a second time"),
        (
            [(i, d, 500.0) for i in range(30) for d in range(5, 1_090, 20)],
            "Too few|no clear maximum|all gave",
        ),
    ],
)
def test_what_cannot_be_fitted_or_judged_has_a_reason(rows, why):
    import re

    found, row, _ = run(events(rows), 200)
    assert not row["published"]
    assert re.search(why, row["reason"])
    assert not found["person_id"]


def test_gifts_without_an_amount_count_and_refunds_do_not():
    rows = [(0, 10, None), (0, 40, 700.0), (0, 50, -700.0), (0, 60, 0.0)]
    gifts = read.read_gifts(events(rows), people(1), "gift", AS_OF, ledger=True)
    assert len(gifts.day) == 2
    assert gifts.n_refused == 2
    found = read.describe(gifts, read.days(AS_OF), 30, "bg_nbd")
    assert found.frequency.tolist() == [1]
    assert (found.n_amounts.tolist(), found.mean.tolist()) == ([1], [700.0])


def test_without_amounts_gifts_are_still_expected():
    rows, row, card = run(events([(p, d, None) for p, d, _ in simulated(2_000, 6)]), 2_000, model="bg_nbd")
    assert row["published"]
    assert np.isnan(rows["expected_value"]).all()
    assert all("amounts" in text for text in rows["reason"])
    assert card["to_come"]["cents"] is None


def test_a_horizon_of_broken_periods_is_refused():
    with pytest.raises(DesignError, match="whole number of periods"):
        run(events([]), 1, horizon_days=100)


def test_the_rule_of_thumb_is_the_sum_of_three_fifths():
    rows = [(i, 10 * i, 100.0 * (i + 1)) for i in range(10)]
    gifts = read.read_gifts(events(rows), people(10), "gift", AS_OF, ledger=True)
    found = read.recency_frequency_amount(read.describe(gifts, read.days(AS_OF), 30, "bg_nbd"))
    # By codes p0 … p9: everybody gave once, so that all are in the middle fifth by frequency.
    assert found.tolist() == [5, 5, 7, 7, 9, 9, 11, 11, 13, 13]


TOML = """
[campaign]
name = "Gifts"
election_day = 2026-11-03
as_of = 2026-01-01

[sources.donors]
path = "donors.csv"
arrived_on = 2025-12-30
records = { record_id = "id" }

[sources.gifts]
path = "gifts.csv"
arrived_on = 2025-12-30
people_from = "donors"
[[sources.gifts.record_events]]
record_id = "id"
kind = { constant = "gift" }
value = "cents"
happened_at = "day"

[giving.donors]
ledger = true
model = "bg_nbd"
"""


def test_a_campaign_with_gifts_gets_its_table(make_folder, up_to, rows):
    found = simulated(1_200, 7)
    lines = "".join(f"p{p},{(START + datetime.timedelta(days=d)).date()},{cents}\n" for p, d, cents in found)
    names = "".join(f"p{i}\n" for i in range(1_200))
    folder = make_folder(TOML, donors__csv="id\n" + names, gifts__csv="id,day,cents\n" + lines)
    up_to(folder, "expect_gifts")
    (model,) = rows(folder, "models")
    assert model["model_id"] == "giving.donors"
    assert model["published"], model["reason"]
    assert len(rows(folder, "giving")) == 1_200
