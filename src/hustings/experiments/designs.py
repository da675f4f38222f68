"""Who may be drawn ─► what a test could find if persons, households or places were drawn."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, get_args

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.declared import Control, Shares, Unit, UnitOf
from hustings.experiments.draws import unit_ids
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes


@stage(writes="designs", section="experiments", each="experiment")
def design_experiments(
    baselines: Table,
    *,
    experiment: str,
    control: Control,
    unit: UnitOf = "household",
    planned_shares: Shares = {},  # noqa: B006
    n_units: Annotated[int | None, About("Units to draw; all who may be drawn unless given.", ge=2)] = None,
    baseline: Annotated[
        str,
        About(
            "The column of `features` that stands in for the outcome: how much people vary, and how alike they are who live together."
        ),
    ] = "voted_last_general",
    smallest_effect: Annotated[
        float | None,
        About("The effect that the test is to find, in the outcome's unit: 0.02 is two points.", gt=0),
    ] = None,
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
) -> Result:
    """One row for each unit that could be drawn; none for a test that is drawn, or that a file tells of."""
    rows: dict[str, list[Any]] = {name: [] for name in spec("designs").names}
    known = arrays(baselines.filter(baselines.experiment == experiment).order_by("person_id"))
    if not len(known["person_id"]):
        return rows
    outcome = _stand_in(known, baseline, experiment)
    for drawn in get_args(Unit):
        found = _power(
            known,
            outcome,
            drawn,
            (control, planned_shares, n_units if drawn == unit else None, smallest_effect),
        )
        found |= {
            "experiment": experiment,
            "unit": drawn,
            "is_planned": drawn == unit,
            "baseline": baseline,
            "as_of": np.datetime64(known["as_of"][0], "D").astype(datetime.date),
            "smallest_effect": smallest_effect,
        }
        for name, column in rows.items():
            column.append(found.get(name))
    return rows


def _stand_in(known: dict[str, npt.NDArray[Any]], baseline: str, experiment: str) -> npt.NDArray[np.float64]:
    numbers = [name for name, column in known.items() if column.dtype != object and name != "as_of"]
    if baseline not in numbers:
        raise DesignError.unknown(f"[experiments.{experiment}] baseline: no number", baseline, numbers)
    return np.asarray(known[baseline], np.float64)


def _power(
    known: dict[str, npt.NDArray[Any]],
    outcome: npt.NDArray[np.float64],
    unit: Unit,
    test: tuple[str, dict[str, float], int | None, float | None],
) -> dict[str, Any]:
    """What a test could find if this unit were drawn."""
    control, shares, n_units, smallest = test
    group = codes(unit_ids(known, unit)).codes
    sizes = np.bincount(group).astype(np.float64)
    share_of_units = 1.0 if n_units is None else min(n_units / len(sizes), 1.0)
    found: dict[str, Any] = {
        "n_people": len(group),
        "n_units": len(sizes),
        "mean_size": float(np.sum(sizes**2) / np.sum(sizes)),
    }
    y = outcome[~np.isnan(outcome)]
    if not y.size or y.min() == y.max():
        return found | {
            "reason": "the baseline never varies, or nobody has it: name another one in `baseline`"
        }
    found |= {"baseline_mean": float(y.mean()), "deviation": float(y.std()), "intraclass": 0.0}
    several = len(np.unique(group[~np.isnan(outcome)]))
    if unit != "person" and 2 <= several < y.size:
        found["intraclass"] = stats.power.intraclass_correlation(outcome, group)
    if control not in shares or len(shares) < 2 or min(shares.values()) <= 0:
        return found | {"reason": "planned_shares does not name control and another arm"}
    total = sum(shares.values())
    base = shares[control] / total
    arm = min(share for name, share in shares.items() if name != control) / total
    alike = {"mean_size": found["mean_size"], "intraclass": found["intraclass"]}
    if smallest is not None:
        found["n_needed"] = stats.power.people_needed(
            smallest, found["deviation"], share_control=base, share_arm=arm, **alike
        )
    people, units = len(group) * share_of_units, len(sizes) * share_of_units
    if units * min(base, arm) < 2:
        return found | {"reason": f"{int(units):,} units are too few for {len(shares)} arms"}
    found["detectable_effect"] = stats.power.detectable_effect(
        people * base, people * arm, found["deviation"], degrees=units * (base + arm) - 2, **alike
    )
    return found
