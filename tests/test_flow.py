"""The order of the work, what of it is stale, and what readers see."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest

from hustings import flow, order
from hustings.campaign import read_campaign
from hustings.errors import FlowError, SettingError, StageError, TableError, WarehouseError
from hustings.stage import Result, Table, describe, stage
from hustings.warehouse import open_lake, open_published, read


def names(nodes):
    return [node.name for node in nodes]


# ── the order ──────────────────────────────────────────────────────────────────────────────────────


def test_every_node_comes_after_what_it_reads(toys):
    toys.edit("[outcomes.single]", "[holdouts.mail]\n\n[outcomes.single]")
    order = names(flow.plan(read_campaign(toys.folder), stages=toys.stages))
    assert set(order) == {
        "households",
        "outcomes.single",
        "outcomes.double",
        "balances",
        "holdouts.mail",
    }
    assert order[0] == "households"
    assert order.index("balances") > max(order.index("outcomes.single"), order.index("outcomes.double"))


def test_only_what_a_wanted_table_needs_is_planned(toys):
    campaign = read_campaign(toys.folder)
    assert names(flow.plan(campaign, "outcomes.double", stages=toys.stages)) == [
        "households",
        "outcomes.double",
    ]
    assert set(names(flow.plan(campaign, "outcomes", stages=toys.stages))) == {
        "households",
        "outcomes.single",
        "outcomes.double",
    }


def test_stages_that_go_in_a_circle_are_named(toys):
    @stage(writes="households")
    def first(outcomes: Table) -> Result: ...

    @stage(writes="outcomes")
    def second(households: Table) -> Result: ...

    toys.set('[campaign]\nname="x"\nelection_day=2026-01-01')
    with pytest.raises(FlowError, match=r"circle.*(households → outcomes|outcomes → households)"):
        toys.run(stages=[describe(first), describe(second)])


def test_a_table_that_nobody_makes_is_named_with_who_needs_it(toys):
    toys.set('[campaign]\nname="x"\nelection_day=2026-01-01')
    with pytest.raises(FlowError, match=r"add_up reads outcomes, which no stage makes"):
        toys.run(stages=[toys.stages[2]])


@pytest.mark.parametrize("writes", ["households", ("people", "households")])
def test_two_stages_that_make_one_table_are_refused(toys, writes):
    @stage(writes=writes)
    def other() -> Result: ...

    with pytest.raises(FlowError, match=r"Two stages make households.*read_households.*other"):
        toys.run(stages=[*toys.stages, describe(other)])


def test_a_stage_can_do_without_an_optional_table_that_nobody_makes(toys):
    seen = []

    @stage(writes="balances")
    def look(households: Table, scores: Table | None) -> Result:
        seen.append(scores)
        return {
            "experiment": ["x"],
            "covariate": ["x"],
            "arm": ["x"],
            "mean": [1.0],
            "standardised_difference": [None],
        }

    toys.set('[campaign]\nname="x"\nelection_day=2026-01-01')
    toys.run(stages=[toys.stages[0], describe(look)])
    assert seen == [None]


def test_an_unknown_table_is_answered_with_the_nearest(toys):
    campaign = read_campaign(toys.folder)
    with pytest.raises(TableError, match=r"'houshold' \(did you mean 'households'\?\)"):
        flow.plan(campaign, "houshold", stages=toys.stages)
    with pytest.raises(FlowError, match=r"'outcomes.singel' \(did you mean 'outcomes.single'\?\)"):
        flow.plan(campaign, "outcomes.singel", stages=toys.stages)


def test_a_kept_table_that_is_read_orders_nothing(toys):
    @stage(writes="balances")
    def look(holdouts: Table) -> Result:
        n = int(holdouts.count().to_pyarrow().as_py())
        return {
            "experiment": ["x"],
            "covariate": ["n"],
            "arm": ["x"],
            "mean": [n],
            "standardised_difference": [None],
        }

    toys.edit("[outcomes.single]\n\n[outcomes.double]\nfactor = 2.0", "[holdouts.mail]")
    stages = [toys.stages[0], toys.stages[3], describe(look)]
    nodes = {node.name: node.needs for node in flow.plan(read_campaign(toys.folder), stages=stages)}
    assert nodes["balances"] == ()


# ── what is stale ──────────────────────────────────────────────────────────────────────────────────


def test_a_second_run_does_nothing_and_says_so(toys):
    first = toys.run()
    assert list(first.computed)[0] == "households"
    assert len(first.computed) == 4
    second = toys.run()
    assert (second.computed, second.run_id) == ({}, first.run_id)
    assert set(second.fresh) == set(first.computed)


def test_a_changed_setting_reruns_only_what_depends_on_it(ran_toys):
    ran_toys.edit("factor = 2.0", "factor = 3.0")
    assert list(ran_toys.run().computed) == ["outcomes.double", "balances"]
    assert ran_toys.sums() == {"single": 6.0, "double": 18.0}


def test_a_changed_file_reruns_everything_that_depends_on_it(ran_toys):
    ran_toys.numbers(4, 5)
    assert set(ran_toys.run().computed) == {"households", "outcomes.single", "outcomes.double", "balances"}
    assert ran_toys.sums() == {"single": 9.0, "double": 18.0}


def test_changed_code_reruns_what_depends_on_it(ran_toys, monkeypatch):
    monkeypatch.setattr(order, "code_digest", lambda module: "other")
    assert len(ran_toys.run().computed) == 4


def test_a_setting_written_out_as_its_default_reruns_nothing(ran_toys):
    ran_toys.edit("[outcomes.single]", "[outcomes.single]\nfactor = 1.0")
    assert ran_toys.run().computed == {}


def test_another_seed_reruns_what_draws_at_random_and_nothing_else(toys):
    @stage(writes="balances")
    def draw(households: Table, *, rng: Any) -> Result:
        return {
            "experiment": ["x"],
            "covariate": ["x"],
            "arm": ["x"],
            "mean": [rng.random()],
            "standardised_difference": [None],
        }

    toys.set('[campaign]\nname="x"\nelection_day=2026-01-01\nseed=1')
    stages = [toys.stages[0], describe(draw)]
    toys.run(stages=stages)
    one = toys.rows("balances")[0]["mean"]
    toys.edit("seed=1", "seed=2")
    assert list(toys.run(stages=stages).computed) == ["balances"]
    two = toys.rows("balances")[0]["mean"]
    toys.edit("seed=2", "seed=1")
    toys.run(stages=stages)
    assert toys.rows("balances")[0]["mean"] == one != two


def test_each_declared_part_is_replaced_alone(ran_toys):
    ran_toys.edit("factor = 2.0", "factor = 4.0")
    ran_toys.run()
    values = {(row["outcome"], row["person_id"]): row["value"] for row in ran_toys.rows("outcomes")}
    assert len(values) == 6
    assert (values["single", "h1"], values["double", "h1"]) == (2.0, 8.0)


def test_a_part_that_leaves_the_file_leaves_the_derived_tables(ran_toys):
    ran_toys.edit("[outcomes.double]\nfactor = 2.0", "")
    report = ran_toys.run()
    assert list(report.computed) == ["balances"]
    assert {row["outcome"] for row in ran_toys.rows("outcomes")} == {"single"}
    assert ran_toys.sums() == {"single": 6.0}
    assert ran_toys.run().computed == {}


def test_a_part_that_comes_back_is_computed_again(ran_toys):
    whole = (ran_toys.folder / "campaign.toml").read_text()
    ran_toys.edit("[outcomes.double]\nfactor = 2.0", "")
    ran_toys.run()
    ran_toys.set(whole)
    assert list(ran_toys.run().computed) == ["outcomes.double", "balances"]
    assert ran_toys.sums() == {"single": 6.0, "double": 12.0}


def test_a_part_that_was_forgotten_by_a_run_that_stopped_is_not_published_as_if_it_were_there(
    toys, monkeypatch
):
    @stage(writes="households")
    def plain() -> Result:
        return {"household_id": ["h"], "place_id": ["p"], "n_people": [1]}

    stages = [describe(plain), toys.stages[1]]
    toys.run(stages=stages)
    toys.edit("[outcomes.double]\nfactor = 2.0", "")
    with monkeypatch.context() as patched:
        patched.setattr(flow, "last_snapshot", lambda lake: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            toys.run(stages=stages)
    assert {row["outcome"] for row in toys.rows("outcomes")} == {"single", "double"}
    toys.run(stages=stages)
    assert {row["outcome"] for row in toys.rows("outcomes")} == {"single"}


def test_the_memory_of_runs_only_grows(toys):
    counts = []
    whole = (toys.folder / "campaign.toml").read_text()
    for toml in (whole, whole.replace("[outcomes.double]\nfactor = 2.0", ""), whole):
        toys.set(toml)
        toys.run()
        with closing(open_lake(toys.folder / ".hustings")) as lake:
            counts.append(lake.rows("SELECT count(*) FROM lake.runs")[0][0])
    assert counts == [5, 8, 11]


# ── kept tables ────────────────────────────────────────────────────────────────────────────────────


def test_a_kept_table_only_grows_and_what_it_says_is_never_changed(toys):
    toys.edit("[outcomes.single]", "[holdouts.mail]\n\n[outcomes.single]")
    first = toys.run()
    assert first.computed["holdouts.mail"] == {"holdouts": 3}
    drawn = {row["household_id"]: row["held_out"] for row in toys.rows("holdouts")}
    toys.numbers(1, 2, 3, 4, 5, 6)
    toys.edit("seed = 1", "seed = 99")
    assert toys.run().computed["holdouts.mail"] == {"holdouts": 3}
    now = {row["household_id"]: row["held_out"] for row in toys.rows("holdouts")}
    assert len(now) == 6
    assert {key: now[key] for key in drawn} == drawn
    toys.edit("[holdouts.mail]", "")
    toys.run()
    assert len(toys.rows("holdouts")) == 6


# ── what a stage may return ────────────────────────────────────────────────────────────────────────

GOOD = {"household_id": ["a", "b"], "place_id": ["p", None], "n_people": [1, 2]}


@pytest.mark.parametrize(
    ("returned", "error", "says"),
    [
        ({"household_id": ["a"], "place_id": ["p"]}, TableError, "the column n_people is missing"),
        (
            {**GOOD, "n_peple": [1, 2]},
            TableError,
            r"undeclared column 'n_peple' \(did you mean 'n_people'\?\)",
        ),
        ({**GOOD, "household_id": ["a", None]}, TableError, "1 rows have no household_id"),
        ({**GOOD, "household_id": ["a", "a"]}, TableError, r"1 keys \(household_id\) stand in several rows"),
        ({**GOOD, "n_people": ["Ms Private", "2"]}, TableError, "households: a column has a wrong type"),
        (None, StageError, "households failed"),
    ],
)
def test_a_wrong_table_is_refused_and_the_one_before_stays(toys, returned, error, says):
    answers = [GOOD, returned]

    @stage(writes="households")
    def answer(*, path: str) -> Result:
        return answers[int(path)]

    head = '[campaign]\nname="x"\nelection_day=2026-01-01\n[households]\npath='
    toys.set(head + '"0"')
    toys.run(stages=[describe(answer)])
    before = toys.rows("households")
    toys.set(head + '"1"')
    with pytest.raises(error, match=says) as caught:
        toys.run(stages=[describe(answer)])
    assert "Private" not in str(caught.value)
    assert toys.rows("households") == before
    with closing(open_lake(toys.folder / ".hustings")) as lake:
        assert len(read(lake, "households").to_pyarrow()) == 2


def test_a_stage_that_returns_other_tables_than_it_writes_is_refused(toys):
    @stage(writes=("households", "people"))
    def answer() -> Result:
        return {"households": GOOD}

    toys.set('[campaign]\nname="x"\nelection_day=2026-01-01')
    with pytest.raises(FlowError, match=r"returned other tables.*'households'.*allowed: households, people"):
        toys.run(stages=[describe(answer)])


@pytest.mark.parametrize("form", ["mapping", "arrow", "ibis"])
def test_a_number_that_is_not_one_becomes_null_however_it_comes(toys, form):
    import ibis
    import pyarrow as pa

    columns = {
        "experiment": ["x"] * 3,
        "covariate": ["a", "b", "c"],
        "arm": ["x"] * 3,
        "mean": [1.0, float("nan"), None],
        "standardised_difference": [float("nan")] * 3,
    }

    @stage(writes="balances")
    def answer(households: Table) -> Result:
        if form == "mapping":
            return columns
        if form == "arrow":
            return pa.table(columns)
        one = households.limit(1)
        numbers = one.mutate(experiment=ibis.literal("x"), covariate=ibis.literal("a"), arm=ibis.literal("x"))
        bad = ibis.literal(float("nan"))
        return numbers.mutate(mean=bad, standardised_difference=bad).select(*columns)

    toys.set('[campaign]\nname="x"\nelection_day=2026-01-01')
    toys.run(stages=[toys.stages[0], describe(answer)])
    found = {row["covariate"]: (row["mean"], row["standardised_difference"]) for row in toys.rows("balances")}
    assert found["a"] == ((None, None) if form == "ibis" else (1.0, None))
    assert all(value == (None, None) for name, value in found.items() if name != "a")


def test_a_required_number_that_is_not_one_is_refused(toys):
    @stage(writes="outcomes")
    def answer() -> Result:
        day = datetime.date(2026, 1, 1)
        import pyarrow as pa

        return pa.table(
            {
                "outcome": ["x"],
                "person_id": ["p"],
                "value": [float("nan")],
                "happened_on": [day],
                "arrived_at": [datetime.datetime(2026, 1, 1)],
            }
        )

    toys.set('[campaign]\nname="x"\nelection_day=2026-01-01')
    with pytest.raises(TableError, match="1 rows have no value"):
        toys.run(stages=[describe(answer)])


# ── failures ───────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_that_fails_leaves_everything_and_the_next_run_goes_on_from_it(ran_toys, monkeypatch):
    before = ran_toys.rows("outcomes"), ran_toys.sums()
    ran_toys.numbers(10, 20)
    monkeypatch.setenv("TOY_FAILS", "balances")
    with pytest.raises(StageError, match=r"balances failed \(ValueError.*hustings run") as caught:
        ran_toys.run()
    assert "Private" not in str(caught.value)
    assert (ran_toys.rows("outcomes"), ran_toys.sums()) == before
    monkeypatch.delenv("TOY_FAILS")
    assert list(ran_toys.run().computed) == ["balances"]
    assert ran_toys.sums() == {"single": 30.0, "double": 60.0}


def test_a_failure_before_anything_was_published_says_what_to_do(toys, monkeypatch):
    with pytest.raises(WarehouseError, match="no warehouse yet.*hustings run"):
        open_published(toys.folder / ".hustings")
    monkeypatch.setenv("TOY_FAILS", "households")
    with pytest.raises(StageError, match="households failed"):
        toys.run()
    with pytest.raises(WarehouseError, match="No run has been published yet.*hustings run"):
        toys.rows("households")
    monkeypatch.delenv("TOY_FAILS")
    assert len(toys.run().computed) == 4


def test_a_setting_that_is_wrong_stops_before_anything_is_written(toys):
    toys.edit("factor = 2.0", "factor = 0.0")
    with pytest.raises(SettingError, match=r"\[outcomes.double\] factor.*0.0.*greater than 0"):
        toys.run()
    assert not (toys.folder / ".hustings").exists()


# ── readers ────────────────────────────────────────────────────────────────────────────────────────

READER = """
import json, sys
from pathlib import Path
from hustings.warehouse import open_published, read
lake, run = open_published(Path(sys.argv[1]))
rows = read(lake, "balances").to_pyarrow().to_pylist()
print(json.dumps({row["covariate"]: row["mean"] for row in rows}))
"""


def test_a_reader_in_another_process_sees_the_published_run_while_a_run_writes(ran_toys):
    before = ran_toys.sums()
    seen = []

    @stage(writes="balances")
    def slow(outcomes: Table) -> Result:
        seen.append(ran_toys.sums())
        told = subprocess.run(
            [sys.executable, "-c", READER, str(ran_toys.folder / ".hustings")],
            capture_output=True,
            text=True,
            check=True,
        )
        seen.append(json.loads(told.stdout))
        return {
            "experiment": ["x"],
            "covariate": ["x"],
            "arm": ["x"],
            "mean": [0.0],
            "standardised_difference": [None],
        }

    ran_toys.numbers(100)
    ran_toys.run(stages=[*ran_toys.stages[:2], describe(slow)])
    assert seen == [before, before]
    assert ran_toys.sums() == {"x": 0.0}


def test_an_earlier_run_can_be_read_again(toys):
    first = toys.run()
    toys.numbers(7)
    second = toys.run()
    assert toys.sums() == toys.sums(second.run_id) == {"single": 7.0, "double": 14.0}
    assert toys.sums(first.run_id) == {"single": 6.0, "double": 12.0}
    with pytest.raises(TableError, match=f"No such run; received 'nope'; allowed: .*{second.run_id}"):
        toys.sums("nope")
    with pytest.raises(TableError, match="Several runs begin so"):
        toys.sums("20")


def test_a_reader_keeps_its_snapshot_while_later_runs_are_published(ran_toys):
    lake, _ = open_published(ran_toys.folder / ".hustings")
    with closing(lake):
        ran_toys.numbers(50)
        ran_toys.run()
        assert read(lake, "households").count().to_pyarrow().as_py() == 3


def test_a_campaign_folder_can_be_moved(ran_toys, tmp_path):
    moved = tmp_path / "elsewhere with 'a quote"
    moved.mkdir()
    for name in (".hustings", "campaign.toml", "numbers.txt"):
        (tmp_path / name).rename(moved / name)
    ran_toys.folder = moved
    assert ran_toys.run().computed == {}
    assert ran_toys.sums() == {"single": 6.0, "double": 12.0}
    ran_toys.numbers(5)
    ran_toys.run()
    assert ran_toys.sums() == {"single": 5.0, "double": 10.0}


def test_tidy_keeps_what_is_published_within_the_retention_and_lets_go_of_the_rest(toys):
    runs = []
    for n in range(3):
        toys.numbers(n)
        runs.append(toys.run().run_id)
    files = list((toys.folder / ".hustings/lake").rglob("*.parquet"))
    assert flow.tidy(read_campaign(toys.folder))[0] > 0
    assert [toys.sums(run)["single"] for run in runs] == [0.0, 1.0, 2.0]
    from hustings.warehouse.runs import expire

    with closing(open_lake(toys.folder / ".hustings", write=True)) as lake:
        later = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(days=1)
        snapshots, deleted = expire(lake, later)
    assert snapshots > 0
    assert deleted > 0
    assert len(list((toys.folder / ".hustings/lake").rglob("*.parquet"))) < len(files)
    assert toys.sums() == {"single": 2.0, "double": 4.0}
    with pytest.raises(TableError, match="No such run"):
        toys.sums(runs[0])
    toys.numbers(9)
    toys.run()
    assert toys.sums() == {"single": 9.0, "double": 18.0}
