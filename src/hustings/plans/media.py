"""Slots × viewing × what people are worth ─► units to buy, the rules of thumb beside them, and what more money gains.

Viewing that a panel estimated flatters the plan that is made on it. So the plan is judged on the half of the panel that
it was not made on, and where it is not better there than the best rule of thumb, that rule is bought, and said so.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.airtime import Airtime, caps_of, check_limits, read_airtime, read_views
from hustings.plans.electorate import electorate
from hustings.plans.media_rows import nothing, option_rows, plan_rows, step_rows, with_costs
from hustings.plans.media_rules import last_cycle, rules_of
from hustings.plans.media_values import Effect, curve, draw, pose, value
from hustings.stage import About, Result, Table, stage
from hustings.warehouse import arrays, count

_STEPS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)


_UNSEEN = "nobody is known to see any slot that can be bought: check viewer_id and slot_id in the sources of viewing"
_DEMOGRAPHICS = ["women 35+", "adults 18-34", "adults 35+"]


_PER_CHANGE = 2.0


@stage(writes=("media_plan", "media_options", "offers"), each="plan_id")
def plan_media(
    slots: Table,
    viewers: Table,
    viewing: Table,
    bought: Table,
    people: Table,
    scores: Table,
    lifts: Table,
    responses: Table,
    vote_values: Table,
    places: Table,
    *,
    plan_id: str,
    budget_cents: Annotated[int, About("What may be spent, in cents.", ge=0)],
    media: Annotated[list[str], About("`television`, `radio`, `digital`; all unless given.")] = [],  # noqa: B006
    effect_points: Annotated[
        float,
        About("Points of support that full exposure moves among those who vote; the mean of 59 experiments."),
    ] = 0.7,
    effect_error: Annotated[float, About("Standard error of that mean.", ge=0)] = 0.7,
    experiment: Annotated[
        str | None, About("Own test whose lift on `outcome` replaces them: an `[experiments.…]` section.")
    ] = None,
    arm: Annotated[str | None, About("Its arm; the first unless given.")] = None,
    outcome: Annotated[str, About("Its outcome, support as a share.")] = "support",
    channel: Annotated[
        str | None,
        About(
            "A `[responses.…]` section whose tests of places give effect, decay and curve; doses in exposures."
        ),
    ] = None,
    half_life_days: Annotated[
        float, About("Days in which half of an exposure's effect is gone.", gt=0)
    ] = 5.0,
    response: Annotated[
        Literal["saturating", "s-shaped"],
        About("`saturating`: each exposure finds the same share of what is left; `s-shaped`: Hill's curve."),
    ] = "saturating",
    rate: Annotated[
        float, About("Of the response: share of what is left per exposure, or 1 / exposures to half.", gt=0)
    ] = 0.3,
    rate_error: Annotated[float, About("Standard error of the rate.", ge=0)] = 0.1,
    shape: Annotated[
        float, About("Of an s-shaped response; above 1 the first exposures do little.", gt=0)
    ] = 2.0,
    support_score: Annotated[
        str, About("The score of support; without it all can be moved alike.")
    ] = "support",
    turnout_score: Annotated[str, About("The score of turnout; without it all vote alike.")] = "turnout",
    target_share: Annotated[
        float, About("Targets: so many of our people, those who are worth most.", gt=0, le=1)
    ] = 0.25,
    demographics: Annotated[list[str], About("Demographics that a buyer would buy.")] = _DEMOGRAPHICS,
    limits: Annotated[
        list[dict[str, Any]],
        About("Limits: slots by `network`, `week_on`, … and at_most_cents, at_least_cents, … _units."),
    ] = [],  # noqa: B006
    network_share: Annotated[float, About("Share of the budget on one network at most.", gt=0, le=1)] = 1.0,
    separation_minutes: Annotated[
        float, About("Between two of our spots, where the slot does not say.", ge=0)
    ] = 15.0,
    lowest_unit_charge_days: Annotated[
        int,
        About(
            "Days before the election in which a candidate pays the lowest unit charge: 60, 45 before a primary; 0 for whoever is no candidate.",
            ge=0,
        ),
    ] = 60,
    last_cycle_days: Annotated[
        int, About("Orders older than this before the election are last cycle's.", ge=0)
    ] = 365,
    fewest_panelists: Annotated[
        float, About("With fewer panelists the best rule of thumb is bought.", ge=0)
    ] = 1000.0,
    playbook: Annotated[str, About("Of the campaign: ad platforms' bans are on elections.")],
    country: Annotated[str, About("Whose ad platforms' rules count.")],
    aim: Annotated[str, About("What the gain is counted in.")],
    decisive_race: Annotated[str, About("Whose vote values count, for the aim `win`.")],
    election_day: Annotated[datetime.date, About("What is left on this day counts.")],
    as_of: Annotated[datetime.date, About("The day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """Units to buy of every slot, the options beside the plan, and its gain as a function of money."""
    check_limits(slots, limits)
    airtime, left_out = read_airtime(
        slots, media=media, window_days=lowest_unit_charge_days, separation=separation_minutes,
        election_day=election_day, as_of=as_of, playbook=playbook, country=country,
    )  # fmt: skip
    effect = Effect(effect_points, effect_error, half_life_days, rate_error / rate, False)
    curve_of = stats.response.Response(rate, shape if response == "s-shaped" else None)
    if experiment is not None and channel is not None:
        raise DesignError.of(f"[media_plan.{plan_id}] both experiment and channel", then="name one of them")
    unread = None
    if experiment is not None:
        effect, unread = _own_test(lifts, experiment, arm, outcome, effect)
    if channel is not None:
        effect, curve_of, unread = calibrated(responses, channel, effect, curve_of)
    # Whoever changes sides is worth two net votes, as everywhere else.
    effect = effect._replace(points=_PER_CHANGE * effect.points, error=_PER_CHANGE * effect.error)
    views = read_views(viewers, viewing, slots, airtime)
    why = unread or _why_nothing(airtime, left_out, effect, budget_cents)
    if why is None and (views is None or not count(people)):
        why = "there are no people to be shown anything" if views is not None else _UNSEEN
    if why is not None or views is None:
        return nothing(plan_id, as_of, why or _UNSEEN, aim)
    ours = electorate(
        people, scores, vote_values, places, support=support_score, turnout=turnout_score,
        target_share=target_share, aim="net_votes" if aim == "added_ballots" else aim, race=decisive_race, as_of=as_of,
    )  # fmt: skip
    last = last_cycle(
        arrays(bought), airtime, np.datetime64(election_day, "D") - np.timedelta64(last_cycle_days, "D")
    )
    problem = pose(
        airtime, views, ours, effect, curve_of,
        lambda seen, adults: rules_of(airtime, seen, adults, demographics, last),
    )  # fmt: skip

    def caps_at(budget: float) -> list[stats.media.Cap]:
        return caps_of(airtime, budget, limits, network_share)

    valued = value(problem, budget_cents, caps_at(budget_cents), fewest_panelists, rng)
    drawn = draw(problem, valued.ways, rng)
    steps = curve(problem, valued, [budget_cents * part for part in _STEPS], caps_at)
    first = max(airtime.told["week_on"].astype("datetime64[D]").min().item(), as_of)
    return {
        "media_plan": plan_rows(plan_id, problem, valued, as_of),
        "media_options": with_costs(
            option_rows(plan_id, problem, valued, drawn, steps, as_of, _note(left_out))
        ),
        "offers": step_rows(plan_id, valued, drawn, steps, first, as_of, aim, effect.tested),
    }


def _own_test(
    lifts: Table, experiment: str, arm: str | None, outcome: str, effect: Effect
) -> tuple[Effect, str | None]:
    """The lift of an own randomised test, in net votes of 100 people; or why it cannot be read yet.

    Raises:
        DesignError: No such experiment, arm or outcome.
    """
    told = (lifts.experiment == experiment) & (lifts.outcome == outcome)
    rows = lifts.filter(told & (lifts.estimator == "intention_to_treat")).to_pyarrow().to_pylist()
    found = next((row for row in rows if arm in (None, row["arm"]) and row["estimate"] is not None), None)
    if found is not None:
        error = float(found["std_error"])
        return effect._replace(points=100 * float(found["estimate"]), error=100 * error, tested=True), None
    why = next((row["reason"] for row in rows if row["estimate"] is None and row["reason"]), None)
    if why is None:
        raise DesignError.of(
            "[media_plan] experiment: the test cannot be read",
            received=f"{experiment}, arm {arm or 'any'}, outcome {outcome}: no such lift",
            then=f"hustings show lifts.{experiment}, or leave experiment out for the published effect",
        )
    return effect, f"the test {experiment} cannot be read: {why}"


def calibrated(
    responses: Table, channel: str, effect: Effect, curve_of: stats.response.Response
) -> tuple[Effect, stats.response.Response, str | None]:
    """Effect, decay and curve of a channel as tests of places have shown them; or why they have not yet.

    That there may be no effect at all is in its mean and its error: with p the chance of one, p m and
    p (e² + m²) - (p m)².

    Raises:
        DesignError: No such section, or its doses are not exposures.
    """
    row = next(iter(responses.filter(responses.channel == channel).to_pyarrow().to_pylist()), None)
    if row is None or row["dose_unit"] != "exposures per person":
        raise DesignError.of(
            f"[media_plan] channel: the response of {channel} cannot be used",
            received="no such section" if row is None else row["dose_unit"],
            allowed="a curve in exposures per person: set cents_per_exposure there",
            then="hustings show responses",
        )
    if row["kind"] is None:
        return effect, curve_of, f"the response of {channel} is not known: {row['reason']}"
    hill = row["kind"] == "hill"
    rate = 1 / row["half_saturation"] if hill else row["rate"]
    error = (row["rate_error"] or 0.0) / (row["rate"] or rate)
    some = 1 - (row["p_no_effect"] or 0.0)
    mean, spread = 100 * row["full_effect"], 100 * (row["full_effect_error"] or 0.0)
    effect = Effect(
        some * mean, (some * (spread**2 + mean**2) - (some * mean) ** 2) ** 0.5, 7 * row["adstock_half_life_weeks"],
        error, bool(row["randomised"]),
    )  # fmt: skip
    return effect, stats.response.Response(rate, row["shape"] if hill else None), None


def _why_nothing(airtime: Airtime, left_out: dict[str, str], effect: Effect, budget: int) -> str | None:
    """Why no unit is bought, or None."""
    if not airtime.price.size:
        return _note(left_out) or "no slot is on sale: a source with a block slots is missing"
    if budget == 0:
        return "the budget is 0"
    if effect.points <= 0:
        return "exposure is not expected to move a vote our way"
    return None


def _note(left_out: dict[str, str]) -> str | None:
    """How many slots were left out, and most often why."""
    if not left_out:
        return None
    reasons = list(left_out.values())
    common = max(sorted(set(reasons)), key=reasons.count)
    return f"{len(reasons):,} slots were left out, most often because: {common} (media_checks names each)"
