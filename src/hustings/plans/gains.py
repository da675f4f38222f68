"""Effects, evidence and scores ─► what each action adds by each person, in the campaign's aim.

An action that an own test measured has an effect of its own for each person. One that no own test measured has what
the literature says of its kind, as one shift of everyone's log-odds of voting, or the same for all.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal

import numpy as np

from hustings import stats
from hustings.plans.choices import Action, Floats, Households, addressees
from hustings.plans.known import Basis, Gains, People, added, turnout_error
from hustings.plans.measured import check_numbers, filled, own_moves, trial_of
from hustings.plans.reach import Reach
from hustings.stage import Table
from hustings.warehouse import arrays

Shape = Literal["log_odds", "same"]


def gains_of(
    reach: Reach,
    people: People,
    actions: list[Action],
    effects: Table,
    evidence: Table,
    *,
    outcomes: tuple[str, str],
    as_of: datetime.date,
    shape: Shape,
    unreadable: dict[str, str],
) -> Gains:
    """What every action adds by everyone within reach.

    Args:
        reach: The people.
        people: What is known of them.
        actions: The plan's actions.
        effects: The table of that name.
        evidence: What to believe of actions that have no effects by person.
        outcomes: The outcome that is a ballot, and the one that is support.
        as_of: The plan's day.
        shape: How an effect that is one for all is shared out.
        unreadable: Tests that cannot be read, with the reason.

    Raises:
        DesignError: Effects are missing.
    """
    tests = {a.experiment for a in actions if a.experiment} - set(unreadable)
    told = arrays(
        effects.filter(effects.experiment.isin(sorted(tests))).select("experiment", "arm").distinct()
    )
    measured = set(zip(told["experiment"].tolist(), told["arm"].tolist(), strict=True))
    by_test = {
        test: [j for j, a in enumerate(actions) if (test, a.arm) in measured and a.experiment == test]
        for test in sorted(tests)
    }
    own = {test: js for test, js in by_test.items() if js}
    n, width = len(reach.person_id), len(actions)
    basis: list[Basis | None] = [None] * width
    open_to = reach.open.copy()
    for test, js in own.items():
        check_numbers(effects, test)
        of_test = effects.filter((effects.experiment == test) & (effects.as_of == as_of))
        for j, moves in zip(
            js, own_moves(of_test, [actions[j] for j in js], reach.person_id, outcomes), strict=True
        ):
            open_to[:, j] &= np.isfinite(np.asarray(moves[0].estimate))
            own_turnout, own_support = (filled(move) for move in moves)
            basis[j] = Basis(test, own_turnout, own_support, f"own test {test}", tested=True)
    for j, action in enumerate(actions):
        if basis[j] is None:
            basis[j] = _believed(action, evidence, outcomes, people, shape, unreadable)
    found = [one for one in basis if one is not None]
    ballots, net, std_error = (np.zeros((n, width)) for _ in range(3))
    for j, one in enumerate(found):
        ballots[:, j], net[:, j] = added(people, one)
        std_error[:, j] = turnout_error(people, one)
        open_to[:, j] &= one.why is None
    gain = (ballots if people.support is None else net) * people.worth[:, None]
    plan = Households(
        reach.person_id, reach.household, reach.labels, gain, std_error, None,
        addressees(reach.household, gain, open_to), open_to,
    )  # fmt: skip
    trials = [
        trial_of(test, js, actions, effects, reach, people, found, outcomes) for test, js in own.items()
    ]
    return Gains(plan, ballots, None if people.support is None else net, people, found, trials)


def _believed(
    action: Action,
    evidence: Table,
    outcomes: tuple[str, str],
    people: People,
    shape: Shape,
    unreadable: dict[str, str],
) -> Basis:
    """What the literature, moved by own tests of the kind, says of an action."""
    nothing = stats.net_votes.NOTHING
    if action.experiment in unreadable:
        why = f"the test {action.experiment} cannot be read: {unreadable[action.experiment]}"
        return Basis("", nothing, nothing, why, tested=False, why=why)
    rows = {
        row["outcome"]: row
        for row in evidence.filter(evidence.action == action.name).to_pyarrow().to_pylist()
    }
    ballot = rows.get(outcomes[0])
    if ballot is None or ballot["estimate"] is None or not np.isfinite(ballot["estimate"]):
        why = f"of {action.name} nothing is known: no own test, and nothing published"
        return Basis("", nothing, nothing, why, tested=False, why=why)
    tested = ballot["own_estimate"] is not None
    from_whom = f"{ballot['method']}: " + ("own test and literature" if tested else "the literature alone")
    on_turnout = _shared_out(ballot, people.turnout, None, shape)
    persuades = rows.get(outcomes[1]) if people.support is not None else None
    if persuades is None or persuades["estimate"] is None:
        return Basis("", on_turnout, nothing, from_whom, tested)
    return Basis(
        "", on_turnout, _shared_out(persuades, people.support, people.turnout, shape), from_whom, tested
    )


def _shared_out(
    row: dict[str, Any], chance: Floats | None, weight: Floats | None, shape: Shape
) -> stats.net_votes.Move:
    """One effect for all, or one shift of everyone's log-odds that comes to the same mean."""
    error = float(row["std_error"] or 0.0)
    if shape == "same" or chance is None or not len(chance):
        return stats.net_votes.Move(row["estimate"], error)
    shift, slope = stats.net_votes.log_odds_shift(chance, row["estimate"], weight)
    return stats.net_votes.Move(shift, error / slope, log_odds=True)
