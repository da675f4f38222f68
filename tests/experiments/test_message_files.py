"""A message test from files to the table: a simulated appeal whose truth is known, and a published one."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pyarrow as pa
import pytest

from hustings.experiments.messages import compare_messages

APPEAL = """
[campaign]
name = "Spring appeal"
election_day = 2026-11-03
as_of = 2026-03-20
seed = 4

[sources.list]
path = "list.csv"
arrived_on = 2026-02-01

[sources.list.records]
record_id = "id"

[[sources.list.record_assignments]]
experiment = { constant = "appeal" }
arm = "variant"
assigned_on = { constant = 2026-03-02 }

[sources.gifts]
path = "gifts.csv"
people_from = "list"
arrived_on = 2026-03-19

[[sources.gifts.record_events]]
record_id = "id"
kind = "kind"
value = "cents"
happened_at = "day"

[experiments.appeal]
unit = "person"
control = "plain"
measured_by = []

[messages.appeal]
measured_by = ["gift", "click"]
horizon_days = 14
hunches = ["photo"]
remaining = 100_000
"""

ASSIGNMENTS = {
    "experiment": "string",
    "person_id": "string",
    "arm": "string",
    "unit_id": "string",
    "assigned_on": "date",
}
EXPERIMENTS = {"experiment": "string", "arm": "string", "is_control": "boolean"}
EVENTS = {"person_id": "string", "kind": "string", "value": "float64", "happened_at": "timestamp"}
OUTCOMES = {"outcome": "string", "person_id": "string", "value": "float64"}

VARIANTS = {"plain": 0.04, "photo": 0.04, "story": 0.09, "short": 0.04}
PEOPLE = 2_000


def table(rows, kinds):
    return ibis.memtable(pa.Table.from_pylist(rows, schema=ibis.schema(kinds).to_pyarrow()))


@pytest.fixture
def appeal(make_folder, up_to):
    rng = np.random.default_rng(12)
    listed, done = ["id,variant"], ["id,kind,cents,day"]
    for k, (variant, rate) in enumerate(VARIANTS.items()):
        for i in range(PEOPLE):
            person = k * PEOPLE + i
            listed.append(f"{person},{variant}")
            day = datetime.date(2026, 3, 2) + datetime.timedelta(days=int(rng.integers(0, 14)))
            if rng.random() < rate:
                done.append(f"{person},gift,{int(2_000 * rng.lognormal(0, 0.6))},{day}")
            if rng.random() < 0.10:
                done.append(f"{person},click,,{day}")
            if rng.random() < 0.02:
                done.append(f"{person},gift,9_999_999,2026-04-30".replace("_", ""))
    folder = make_folder(APPEAL, list__csv="\n".join(listed) + "\n", gifts__csv="\n".join(done) + "\n")
    up_to(folder, "compare_messages")
    return folder


def test_an_appeal_from_its_files_to_the_variant_to_send(appeal, rows):
    found = {(row["arm"], row["outcome"]): row for row in rows(appeal, "messages")}
    assert len(found) == 8
    story = found["story", "gift"]
    assert story["is_winner"]
    assert story["p_best"] > 0.99
    assert story["next_share"] == 1
    value = 2_000 * np.exp(0.18)
    assert story["low"] < 0.05 * value < story["high"]
    assert 0.5 * story["difference"] < story["gain"] < story["difference"]
    assert found["photo", "gift"]["low"] < 0 < found["photo", "gift"]["high"]
    clicks = [found[variant, "click"] for variant in VARIANTS]
    assert all(row["response_rate"] == pytest.approx(0.10, abs=0.03) for row in clicks)
    assert max(row["p_best"] for row in clicks) < 0.8
    costs = {(row["rule"], row["outcome"]): row for row in rows(appeal, "hunch_costs")}
    hunch = costs["hunch: photo", "gift"]
    assert hunch["winner"] == "story"
    assert 0 < hunch["total_low"] < hunch["total"] < hunch["total_high"]
    assert hunch["total"] == pytest.approx(100_000 * 0.05 * value, rel=0.35)


def test_the_match_of_2005_brings_81_and_97_cents_a_letter(data_file):
    # Karlan & List, American Economic Review 97 (2007), table 2A: $0.813 and $0.967, 1.79 and 2.20 % gave.
    import pyarrow.parquet as pq

    path = data_file("matching-gifts-2005/donors.parquet")
    rows = pq.read_table(path, columns=["treatment", "out_amountgive"]).to_pylist()
    drawn = [
        {
            "experiment": "match",
            "person_id": str(i),
            "unit_id": str(i),
            "arm": "match" if row["treatment"] else "letter",
            "assigned_on": datetime.date(2005, 8, 1),
        }
        for i, row in enumerate(rows)
    ]
    gave = [
        {"outcome": "dollars", "person_id": str(i), "value": row["out_amountgive"]}
        for i, row in enumerate(rows)
    ]
    found = compare_messages(
        table(drawn, ASSIGNMENTS),
        table([{"experiment": "match", "arm": "letter", "is_control": True}], EXPERIMENTS),
        table([], EVENTS),
        table(gave, OUTCOMES),
        message="match",
        as_of=datetime.date(2005, 10, 31),
        measured_by=["dollars"],
        measured_from="outcomes",
        rng=np.random.default_rng(1),
    )["messages"]
    assert found["arm"] == ["letter", "match"]
    # The copy that is tested lacks two letters of 50,083.
    assert found["mean"] == pytest.approx([0.813, 0.967], abs=2e-3)
    assert found["response_rate"] == pytest.approx([0.0179, 0.0220], abs=5e-5)
    assert found["difference"][1] == pytest.approx(0.154, abs=3e-3)
    assert 0 <= found["gain"][1] < found["difference"][1]
