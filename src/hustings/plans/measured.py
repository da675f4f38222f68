"""What the campaign's own tests say of each person, and the tests' people, by whose outcomes a plan is valued."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.choices import Action, Households, addressees
from hustings.plans.known import Basis, People, Trial, added, rows_of
from hustings.plans.reach import Reach
from hustings.stage import Table
from hustings.warehouse import arrays, codes

_NUMBERS = ("estimate", "std_error", "aipw", "ipw")


def check_numbers(effects: Table, test: str) -> None:
    """Refuse effects that are not numbers.

    Raises:
        DesignError: With how many.
    """
    numbers = (effects.estimate, effects.std_error)
    wrong = numbers[0].isnull() | numbers[0].isnan() | numbers[1].isnull() | numbers[1].isnan()
    wrong = effects.filter((effects.experiment == test) & wrong)
    n = int(wrong.count().to_pyarrow().as_py())
    if n:
        raise DesignError.of(
            f"Effects of the test {test} are not numbers",
            received=f"{n:,} rows",
            then=f"hustings show effects.{test}",
        )


def own_moves(
    rows: Any, actions: list[Action], person_id: npt.NDArray[Any], outcomes: tuple[str, str]
) -> list[tuple[stats.net_votes.Move, stats.net_votes.Move]]:
    """By action: what the test says of each person's turnout and, where it was measured, support; NaN for nobody's."""
    wide = _wide(rows, actions, outcomes)
    at = codes(person_id, wide["person_id"]).codes

    def move(name: str) -> stats.net_votes.Move:
        values = [
            np.where(at >= 0, wide[f"{number}_{name}"][at], np.nan)
            if len(wide["person_id"])
            else np.full(len(at), np.nan)
            for number in _NUMBERS[:2]
        ]
        return stats.net_votes.Move(values[0], values[1])

    found = []
    for j, action in enumerate(actions):
        on_turnout, on_support = move(f"{j}_0"), move(f"{j}_1")
        if not np.isfinite(np.asarray(on_turnout.estimate)).any():
            raise DesignError.of(
                f"[actions.{action.name}]: somebody has no effect of the arm",
                received=action.arm,
                then="hustings show models",
            )
        if not np.isfinite(np.asarray(on_support.estimate)).any():
            on_support = stats.net_votes.NOTHING
        found.append((on_turnout, on_support))
    return found


def _wide(rows: Any, actions: list[Action], outcomes: tuple[str, str]) -> dict[str, npt.NDArray[Any]]:
    """One row for each person, with the numbers of every action and outcome side by side."""
    sides = {
        f"{name}_{j}_{k}": rows[name].max(where=(rows.arm == action.arm) & (rows.outcome == outcome))
        for j, action in enumerate(actions)
        for k, outcome in enumerate(outcomes)
        for name in _NUMBERS
    }
    found = arrays(rows.group_by("person_id").agg(**sides).order_by("person_id"))
    return {name: v if name == "person_id" else np.asarray(v, np.float64) for name, v in found.items()}


def filled(move: stats.net_votes.Move) -> stats.net_votes.Move:
    """0 of people whom the test says nothing of: they are not reached by the action."""
    return stats.net_votes.Move(np.nan_to_num(move.estimate), np.nan_to_num(move.std_error), move.log_odds)


def trial_of(
    test: str,
    js: list[int],
    actions: list[Action],
    effects: Table,
    reach: Reach,
    people: People,
    basis: list[Basis],
    outcomes: tuple[str, str],
) -> Trial:
    """The test's people within reach as of its draw: predictions made without them, and readings, in the aim."""
    rows = effects.filter((effects.experiment == test) & effects.aipw.notnull())
    wide = _wide(rows, [actions[j] for j in js], outcomes)
    at = codes(reach.person_id, wide["person_id"]).codes
    there, at = np.flatnonzero(at >= 0), at[at >= 0]
    known, width = people.at(there), len(actions)
    gain = np.zeros((len(there), width))
    readings = {name: np.full((len(there), width), np.nan) for name in ("aipw", "ipw")}
    turnout = np.full(len(there), 0.5) if known.turnout is None else known.turnout
    for place, j in enumerate(js):
        number = {name: wide[f"{name}_{place}_0"][at] for name in _NUMBERS}
        persuaded = {name: np.nan_to_num(wide[f"{name}_{place}_1"][at]) for name in _NUMBERS}
        for name, into in ((n, readings[n]) for n in readings):
            into[:, j] = number[name] * known.per_ballot
            if known.support is not None:
                into[:, j] += 2 * turnout * persuaded[name] * known.worth
        own = Basis(
            test,
            stats.net_votes.Move(number["estimate"], number["std_error"]),
            stats.net_votes.Move(persuaded["estimate"], persuaded["std_error"]),
            "", tested=True,
        )  # fmt: skip
        gain[:, j] = added(known, own)[1] * known.worth
    for j, one in enumerate(basis):
        if j not in js:
            part = one._replace(
                on_turnout=rows_of(one.on_turnout, there, len(reach.person_id)),
                on_support=rows_of(one.on_support, there, len(reach.person_id)),
            )
            gain[:, j] = added(known, part)[1] * known.worth
    if len(there) and np.isnan(gain[:, js]).any():
        raise DesignError.of(
            f"Somebody in the test {test} has no effect of an arm", then="hustings show models"
        )
    home = codes(np.array(reach.labels, object)[reach.household[there]])
    open_to = reach.open[there]
    found = Households(
        reach.person_id[there], home.codes, home.labels, gain, np.zeros_like(gain), readings,
        addressees(home.codes, gain, open_to), open_to,
    )  # fmt: skip
    of_plan = codes(np.array(home.labels, object), reach.labels).codes
    return Trial(test, tuple(js), found, of_plan)
