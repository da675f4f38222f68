"""Seconds and peak memory of the Michigan example by stage, and of a second run that finds nothing to do.

    python benchmarks/spine.py [--runs 3]

Each run is a process of its own in a new folder; the second run follows in the same folder. Prints the median
over the runs, and the floor beside it: reading the file's columns and counting once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
_HUSTINGS = [sys.executable, "-c", "import sys; from hustings.cli import main; sys.exit(main())"]


def timed(*arguments: str) -> float:
    """Wall seconds of one command."""
    began = time.monotonic()
    subprocess.run([*_HUSTINGS, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def one_run() -> tuple[float, float, list[dict]]:
    """Seconds of a first and of a second run, and the rows of `runs` of the first."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(PROJECT / "examples/michigan-2006/campaign.toml", folder)
        first = timed("run", "-C", folder)
        second = timed("run", "-C", folder)
        shown = subprocess.run(
            [*_HUSTINGS, "show", "runs", "-C", folder, "--json"], check=True, capture_output=True, text=True
        )
        return first, second, json.loads(shown.stdout)


def floor() -> float:
    """Seconds to read every column of the file once and count by arm: what no program can do without."""
    import duckdb

    from hustings.sources.public import data_folder

    path = data_folder() / "michigan-2006/voters.parquet"
    began = time.monotonic()
    with duckdb.connect() as connection:
        connection.execute(
            "SELECT treatment, count(*), sum(primary_06) FROM read_parquet(?) GROUP BY 1", [str(path)]
        )
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    runs = [one_run() for _ in range(parser.parse_args().runs)]
    names = ("hustings", "duckdb", "ibis-framework", "lightgbm", "numpy")
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores; ", end="")
    print(", ".join(f"{name} {version(name)}" for name in names))
    print("\n| stage | seconds | peak MB |\n|---|---|---|")
    for row in sorted(runs[0][2], key=lambda row: row["started_at"]):
        if row["node"] == "published":
            continue
        same = [r for _, _, rows in runs for r in rows if r["node"] == row["node"]]
        seconds = statistics.median(r["seconds"] for r in same)
        peak = max(r["peak_megabytes"] or 0 for r in same)
        print(f"| {row['node']} | {seconds:.2f} | {peak:.0f} |")
    peak = max(r["peak_megabytes"] or 0 for _, _, rows in runs for r in rows)
    print(
        f"| **whole run, as a process** | **{statistics.median(r[0] for r in runs):.1f}** | **{peak:.0f}** |"
    )
    print(f"| second run, as a process | {statistics.median(r[1] for r in runs):.2f} | |")
    print(f"| floor: the file read and counted once | {floor():.2f} | |")


if __name__ == "__main__":
    main()
