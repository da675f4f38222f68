"""Effects, evidence, costs and limits ─► who gets what, what it is worth, and whom to leave alone to find out.

The plan takes the contacts that gain most in the campaign's aim within the budget and every other limit, at prices
that those held out are chosen by, too. The gain that is told is never the sum of predictions where an own test can
tell: the same rule is applied to the test's people, by effects learned without them, and valued by what they did.
"""

from __future__ import annotations

import datetime
from typing import Annotated

import numpy as np

from hustings.errors import DesignError
from hustings.plans.choices import Action, Booleans, Integers, read_actions
from hustings.plans.control import control_of, detectable
from hustings.plans.decisions import decision_rows
from hustings.plans.gains import Shape, gains_of
from hustings.plans.judged import for_no_one, habits, lifts_of, nothing, unreadable, why_nothing
from hustings.plans.known import Gains, known_people, scored
from hustings.plans.listed import holdout_cost, list_rows, notes
from hustings.plans.offered import offer_rows
from hustings.plans.options import option_rows
from hustings.plans.reach import Reach, within_reach
from hustings.plans.solving import Limits, check_must, on_time
from hustings.plans.valuing import value
from hustings.plans.ways import Ground, if_approved, rules_of_thumb
from hustings.plans.worth import worth_of
from hustings.stage import About, Result, Table, stage
from hustings.warehouse import arrays, codes

Doors = Annotated[
    int | None, About("Doors that can be knocked on in each place; no limit unless given.", ge=0)
]


_ABOUT = "the contacts that gain most for the money within all limits"


@stage(writes=("contact_plan", "options", "holdouts", "decisions", "offers"), each="plan_id")
def plan_contacts(
    effects: Table,
    actions: Table,
    lifts: Table,
    evidence: Table,
    scores: Table,
    people: Table,
    people_private: Table,
    identities: Table,
    opt_outs: Table,
    events: Table,
    outcomes: Table,
    features: Table,
    models: Table,
    vote_values: Table,
    places: Table,
    shift_forecasts: Table,
    holdout: Table,
    holdouts: Table,
    *,
    plan_id: str,
    outcome: Annotated[str, About("The outcome that counts as a ballot.")],
    support_outcome: Annotated[str, About("The outcome that counts as support.")] = "support",
    action_names: Annotated[
        list[str], About("The actions to choose from, whether an own test measured them or not.")
    ],
    budget_cents: Annotated[int, About("What may be spent, in cents.", ge=0)],
    hold_out: Annotated[
        float | None,
        About(
            "Share of the plan's households kept as its own control; 0.05 unless [holdout] holds some out.",
            ge=0,
            le=0.5,
        ),
    ] = None,
    turnout_score: Annotated[str, About("The score of turnout.")] = "turnout",
    support_score: Annotated[
        str, About("The score of support, where net votes or winning are the aim.")
    ] = "support",
    untested_effects: Annotated[
        Shape,
        About("An effect that no own test tells by person: one shift of `log_odds`, or the `same` for all."),
    ] = "log_odds",
    minutes: Annotated[
        dict[str, float], About("Minutes of callers or canvassers that there are, by channel.")
    ] = {},  # noqa: B006
    doors_per_place: Doors = None,
    doors_by: Annotated[
        str, About("Where doors are counted: `place`, `region`, or `shifts`, by region as forecast.")
    ] = "place",
    fewest_doors: Annotated[int, About("Doors below which a place is not walked at all.", ge=0)] = 0,
    must: Annotated[
        list[str], About("Actions that must be done, at least as often as their smallest list.")
    ] = [],  # noqa: B006
    contacts_per_household: Annotated[int, About("By all actions of the plan together.", ge=1)] = 1,
    rest_days: Annotated[int, About("Contacts of so many days before count against that.", ge=0)] = 0,
    available_on: Annotated[datetime.date | None, About("When the outcome will be known.")] = None,
    aim: Annotated[str, About("What gains are counted in: as in [campaign].")] = "added_ballots",
    decisive_race: Annotated[str, About("The race whose votes have a value, for the aim `win`.")] = "",
    election_day: Annotated[datetime.date, About("Whoever has voted by now is left out.")],
    as_of: Annotated[datetime.date, About("The day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """The list, the options beside it, the draw of the control group, the decision, and what more money would do."""
    offered = read_actions(actions, action_names, plan_id)
    forced = check_must(offered, must, f"[contact_plan.{plan_id}]")
    tests = {action.experiment for action in offered if action.experiment}
    sealed = unreadable(models, tests)
    unready = _unready(offered, sealed, aim, support_score, scores, as_of)
    if unready is not None:
        return nothing(plan_id, aim, as_of, unready)
    reach = within_reach(
        people, people_private, opt_outs, identities, events, offered,
        election_day=election_day, as_of=as_of, rest_days=rest_days,
    )  # fmt: skip
    worth = worth_of(reach.place_id, vote_values, places, aim=aim, race=decisive_race).value
    named = (turnout_score, support_score)
    known = known_people(reach, scores, models, worth, names=named, net=aim != "added_ballots", as_of=as_of)
    gains = gains_of(
        reach, known, offered, effects, evidence,
        outcomes=(outcome, support_outcome), as_of=as_of, shape=untested_effects, unreadable=sealed,
    )  # fmt: skip
    limits = _limits(
        reach, shift_forecasts, budget_cents, minutes, (doors_per_place, doors_by, fewest_doors), forced,
        contacts_per_household,
    )  # fmt: skip
    control = control_of(gains.plan.labels, holdout, holdouts, plan_id, hold_out, as_of, rng)
    ground = Ground(
        gains, offered, _working(gains, offered, for_no_one(models, tests), as_of, election_day), limits, control,
        gains.plan.by_household(gains.plan.effect, offered), gains.plan.may(len(offered)) & ~control.barred[:, None],
    )  # fmt: skip
    chosen = ground.chosen(ground.approved, limits)
    ways = [ground.way("plan", _ABOUT, ground.approved, limits, chosen), *if_approved(ground)]
    past = habits(features, gains, known, as_of)
    ways += rules_of_thumb(ground, lifts_of(lifts, gains, outcome), *past, ways[0].cost or budget_cents)
    told = [value(gains, offered, way, "aipw") for way in ways]
    why = why_nothing(ways[0], told[0], gains, offered, ground.works, budget_cents)
    ways[0] = ways[0]._replace(reason=why)
    done = chosen if why is None else chosen.emptied()
    rows = option_rows(plan_id, aim, ways, gains, offered, chosen.gap)
    return {
        "contact_plan": list_rows(plan_id, aim, gains, offered, done),
        "options": rows,
        "holdouts": control.draws,
        "decisions": decision_rows(
            plan_id, as_of, rows, offered, why, detectable=detectable(outcomes, outcome, gains, known, done), available_on=available_on,
            notes=notes(offered, chosen, control, reach) if why is None else (),
            digest_of=(budget_cents, control.share, rows["gain"], rows["n_households"]),
            holdout_cost=holdout_cost(ground.gain, offered, chosen), n_held_out=int(done.held_out.sum()),
        ),
        "offers": offer_rows(f"contact_plan.{plan_id}", aim, ways, told, gains, offered, as_of),
    }  # fmt: skip


def _unready(
    actions: list[Action],
    sealed: dict[str, str],
    aim: str,
    support_score: str,
    scores: Table,
    as_of: datetime.date,
) -> str | None:
    """Why nothing can be planned yet: the one test cannot be read, or nobody knows whom people support."""
    if len({action.experiment for action in actions}) == 1 and all(a.experiment in sealed for a in actions):
        return "; ".join(f"the test {test} cannot be read: {why}" for test, why in sealed.items())
    if aim != "added_ballots" and not scored(scores, support_score, as_of):
        return f"net votes need to know whom people support, and there is no score {support_score!r}"
    return None


def _working(
    gains: Gains,
    actions: list[Action],
    idle: set[tuple[str, str]],
    as_of: datetime.date,
    election_day: datetime.date,
) -> Booleans:
    """(a,) whether an action's effect is known, its day to come, and no verdict says that it works for no one."""
    known = np.array([basis.why is None for basis in gains.basis], bool)
    some = np.array([(action.experiment, action.arm) not in idle for action in actions], bool)
    return known & some & on_time(actions, as_of, election_day)


def _limits(
    reach: Reach,
    shift_forecasts: Table,
    budget: int,
    minutes: dict[str, float],
    doors: tuple[int | None, str, int],
    must: tuple[int, ...],
    contacts: int,
) -> Limits:
    """Money, minutes, doors by place, and how many contacts each household may still get."""
    per_place, by, fewest = doors
    if by not in ("place", "region", "shifts"):
        raise DesignError.of("doors_by", received=by, allowed="place, region or shifts")
    n = len(reach.labels)
    first = np.full(n, len(reach.household))
    np.minimum.at(first, reach.household, np.arange(len(reach.household)))
    where = codes((reach.place_id if by == "place" else reach.region_id)[first])
    turf: Integers = np.full(n, -1)
    capacity: Integers = np.zeros(0, np.int64)
    if by == "shifts":
        told = arrays(shift_forecasts.filter(shift_forecasts.channel == "door"), "region_id", "doors")
        at = codes(told["region_id"], where.labels).codes
        expected = np.nan_to_num(np.asarray(told["doors"], np.float64))[at >= 0]
        turf = where.codes
        capacity = np.bincount(at[at >= 0], expected, len(where.labels)).astype(np.int64)
    elif per_place is not None:
        turf, capacity = where.codes, np.full(len(where.labels), per_place)
    cap = np.maximum(contacts - reach.tired, 0)
    return Limits(float(budget), dict(minutes), cap, turf, capacity, fewest, must)
