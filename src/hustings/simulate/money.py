"""The simulated campaign's money: one budget over all plans, and the candidate's visits to the regions."""

from __future__ import annotations

from pathlib import Path
from string import Template

import numpy as np

from hustings.simulate import files
from hustings.simulate.elections import ASKED_FROM
from hustings.simulate.map import coordinates
from hustings.simulate.part import Drawn, Part

POINTS = "sources/region_points.csv"

_TEXT = Template("""\
# ── the money, and where the candidate goes ────────────────────────────────────────────────────────

[sources.region_points] # where the regions are
path = "sources/region_points.csv"
arrived_on = $known_on

[[sources.region_points.place_coordinates]]
place_id = "region"
latitude = "latitude"
longitude = "longitude"

[visits] # of the decisive race
home_latitude = 42.0
home_longitude = -86.0
reach_votes = $reach
cents_per_visit = $per_visit

[budget] # over everything that the plans offer
budget_cents = $budget_cents
step_cents = $step_cents
""")


def _declare(people: int) -> str:
    """The budget pays for about a third of what is offered; one step of money is a fifth of it, at most $10,000."""
    budget = people // 100 * 900
    return _TEXT.substitute(
        known_on=ASKED_FROM,
        reach=f"{max(people // 10, 100):_}.0",
        per_visit=f"{max(people // 100 * 20, 100):_}",
        budget_cents=f"{budget:_}",
        step_cents=f"{min(1_000_000, budget // 5):_}",
    )


def _write(folder: Path, drawn: Drawn, rng: np.random.Generator) -> None:
    """The middle of each region's houses. Nothing is drawn."""
    latitude, longitude = coordinates(drawn.world)
    known, region = np.isfinite(latitude), drawn.world.region
    n = np.maximum(np.bincount(region[known], minlength=int(region.max()) + 1), 1)
    columns = {
        "region": files.places("R", np.arange(n.size)),
        **{
            name: files.degrees(np.bincount(region[known], one[known], n.size) / n)
            for name, one in (("latitude", latitude), ("longitude", longitude))
        },
    }
    (folder / POINTS).write_bytes(files.as_bytes(columns, ",", files.lines(columns, ",")))


MONEY = Part((POINTS,), _write, _declare)
"""One budget, and visits."""
