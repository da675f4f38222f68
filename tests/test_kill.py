"""A run that is killed, interrupted, or not alone."""

from __future__ import annotations

import getpass
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from hustings.errors import LockError
from hustings.warehouse import locked, open_lake, open_published

HERE = str(Path(__file__).parent)
HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


def python(code: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """A Python process of its own, which an interrupt reaches.

    A test runner in the background ignores interrupts and would hand that down.
    """
    return subprocess.Popen(
        [sys.executable, "-c", f"{HEARING}\n{code}", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": HERE, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start(folder: Path, pause: float = 0.0) -> subprocess.Popen[str]:
    """A run in a process of its own."""
    return python("import toy_stages; toy_stages.main()", folder, TOY_PAUSE=str(pause))


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.05)


def committed(folder: Path) -> int:
    """Pieces of work that were committed so far."""
    with closing(open_lake(folder / ".hustings")) as lake:
        return int(lake.rows("SELECT count(*) FROM lake.runs")[0][0])


def whole(folder: Path) -> None:
    """Every table of the latest state is one run's, published or not: never half of one."""
    with closing(open_lake(folder / ".hustings")) as lake:
        for table in ("households", "outcomes"):
            sizes = dict(lake.rows(f"SELECT _node, count(*) FROM lake.{table} GROUP BY ALL"))
            assert set(sizes.values()) <= {3, 5}, (table, sizes)


@pytest.fixture
def published(ran_toys):
    """A campaign with a published run, and numbers that make it stale."""
    ran_toys.numbers(10, 20, 30, 40, 50)
    return ran_toys


BEFORE, AFTER = {"single": 6.0, "double": 12.0}, {"single": 150.0, "double": 300.0}


@pytest.mark.parametrize("seed", range(4))
def test_a_run_killed_at_any_moment_leaves_whole_tables_and_the_next_one_goes_on(published, seed):
    rng = random.Random(seed)
    process = start(published.folder, pause=0.1)
    # From the start of the work (the lock is signed) to about its end.
    wait_for(lambda: (published.folder / ".hustings/lock.json").exists() or process.poll() is not None)
    time.sleep(rng.uniform(0.0, 0.9))
    process.kill()
    process.communicate()
    assert published.sums() in (BEFORE, AFTER)
    whole(published.folder)
    report = published.run()
    assert published.sums() == AFTER
    assert len(report.computed) <= 4
    assert published.run().computed == {}


def test_a_run_killed_after_its_second_commit_keeps_both_and_does_the_rest(published):
    before = committed(published.folder)
    process = start(published.folder, pause=1.5)
    wait_for(lambda: committed(published.folder) >= before + 2)
    process.kill()
    process.communicate()
    assert published.sums() == BEFORE
    done = committed(published.folder) - before
    assert len(published.run().computed) == 4 - done
    assert published.sums() == AFTER


def test_an_interrupted_run_leaves_whole_tables_and_a_free_lock(published):
    before = committed(published.folder)
    process = start(published.folder, pause=1.5)
    wait_for(lambda: committed(published.folder) >= before + 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode not in (0, 3), err
    assert "KeyboardInterrupt" in err
    assert not (published.folder / ".hustings/lock.json").exists()
    assert published.sums() == BEFORE
    whole(published.folder)
    assert len(published.run().computed) < 4
    assert published.sums() == AFTER


def test_an_interrupt_while_the_database_computes_is_not_taken_for_a_failed_stage(toys):
    code = """
import sys, toy_stages
from hustings import flow
from hustings.campaign import read_campaign
from hustings.stage import Result, Table, describe, stage
import ibis

@stage(writes="balances")
def slow(households: Table) -> Result:
    print("now", flush=True)
    many = ibis.range(0, 60_000).unnest().name("i").as_table()
    n = many.cross_join(many.rename(j="i")).filter(lambda t: (t.i * t.j) % 7 == 3).count().to_pyarrow()
    raise AssertionError("it was to be interrupted")

stages = [toy_stages.STAGES[0], describe(slow)]
flow.run(read_campaign(sys.argv[1]), stages=stages)
"""
    toys.set('[campaign]\nname="x"\nelection_day=2026-01-01')
    process = python(code, toys.folder)
    assert process.stdout.readline() == "now\n", process.stderr.read()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert err.rstrip().splitlines()[-1].startswith("KeyboardInterrupt"), err
    assert not (toys.folder / ".hustings/lock.json").exists()


def test_of_two_runs_at_once_the_second_is_told_who_holds_the_lock(published):
    process = start(published.folder, pause=0.6)
    holder = published.folder / ".hustings/lock.json"
    wait_for(holder.exists)
    with pytest.raises(LockError) as caught:
        published.run()
    text = str(caught.value)
    for part in (
        f"process {process.pid}",
        getpass.getuser(),
        socket.gethostname(),
        "since 20",
        str(published.folder),
    ):
        assert part in text
    assert "Next: wait for it" in text
    assert holder.exists()
    assert published.sums() == BEFORE
    process.kill()
    process.communicate()
    assert published.run().computed
    assert published.sums() == AFTER


def test_a_second_run_with_nothing_to_do_needs_no_lock(ran_toys):
    with locked(ran_toys.folder / ".hustings"):
        assert ran_toys.run().computed == {}


def test_a_holder_that_died_without_a_word_does_not_keep_the_lock(ran_toys):
    (ran_toys.folder / ".hustings/lock.json").write_text(json.dumps({"process": 1}))
    ran_toys.numbers(1)
    assert ran_toys.run().computed
    assert not (ran_toys.folder / ".hustings/lock.json").exists()


def test_a_holder_that_has_not_signed_yet_is_said_to_be_one(ran_toys):
    ran_toys.numbers(1)
    store = ran_toys.folder / ".hustings"
    with locked(store):
        (store / "lock.json").write_text("{")
        with pytest.raises(LockError, match="has not signed yet"):
            ran_toys.run()


def test_readers_see_whole_published_runs_only_while_many_runs_follow_each_other(ran_toys):
    code = """
import sys
from pathlib import Path
from hustings.campaign import read_campaign
from hustings import flow
import toy_stages
folder = Path(sys.argv[1])
n = 1
while not (folder / "enough").exists():
    n += 1
    (folder / "numbers.txt").write_text("\\n".join(["1"] * n))
    flow.run(read_campaign(folder), stages=toy_stages.STAGES)
"""
    process = python(code, ran_toys.folder)
    seen, until = set(), time.monotonic() + 60
    # The runs go on until the reader has met three of them, so that nothing hangs on who is faster.
    while len(seen) < 3 and process.poll() is None and time.monotonic() < until:
        sums = ran_toys.sums()
        assert sums["double"] == 2 * sums["single"]
        seen.add(sums["single"])
    (ran_toys.folder / "enough").touch()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(seen) == 3
    last = len((ran_toys.folder / "numbers.txt").read_text().split())
    assert ran_toys.sums() == {"single": last, "double": 2 * last}


def test_readers_can_read_although_a_run_was_killed_in_the_middle_of_a_commit(ran_toys):
    code = """
import os, sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None)
catalog.execute("PRAGMA cache_size = 1")
catalog.execute("BEGIN IMMEDIATE")
for i in range(2000):
    catalog.execute("INSERT INTO ducklake_metadata (key, value) VALUES (?, ?)", (f"k{i}", "v" * 500))
catalog.execute("DELETE FROM ducklake_snapshot")
os.kill(os.getpid(), 9)
"""
    store = ran_toys.folder / ".hustings"
    subprocess.run([sys.executable, "-c", code, str(store / "catalog.sqlite")], check=False)
    assert (store / "catalog.sqlite-wal").stat().st_size > 1_000_000
    assert ran_toys.sums() == BEFORE
    ran_toys.numbers(1)
    ran_toys.run()
    assert ran_toys.sums() == {"single": 1.0, "double": 2.0}


def test_a_reader_who_takes_long_does_not_hold_up_a_run_nor_a_run_a_reader(ran_toys):
    lake, _ = open_published(ran_toys.folder / ".hustings")
    with closing(lake):
        lake.raw.execute("BEGIN TRANSACTION")
        assert lake.rows("SELECT count(*) FROM lake.households") == [(3,)]
        ran_toys.numbers(5)
        ran_toys.run()
        assert lake.rows("SELECT count(*) FROM lake.households") == [(3,)]
    assert ran_toys.sums() == {"single": 5.0, "double": 10.0}
