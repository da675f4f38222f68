"""Variants of a message and what their recipients did ─► which to send, and what hunches would have cost."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.recipients import (
    Measure,
    Outcome,
    Recipients,
    read_recipients,
    refuse_opens,
    sealed_until,
)
from hustings.stage import About, Result, Table, stage
from hustings.stats.novelty import Decay
from hustings.stats.variants import Variants
from hustings.stats.winners import Shrunk
from hustings.tables import spec

FEWEST = 10
"""Responders, over all variants, below which nothing is told: the normal intervals have not set in."""

Floats = npt.NDArray[np.float64]
Rows = list[tuple[Any, ...]]


class Rule(NamedTuple):
    """How the next batch is chosen."""

    mode: Literal["fixed", "bandit"]
    leader_share: float
    smallest_share: float
    draws: int
    rng: np.random.Generator


class Judged(NamedTuple):
    """The variants after shrinking; arrays over all variants, NaN for those that nobody got."""

    winner: int
    point: Floats
    low: Floats
    high: Floats
    p_best: Floats
    expected_loss: Floats
    next_share: Floats
    shrunk: Shrunk
    alive: npt.NDArray[np.int64]


@stage(writes=("messages", "message_sends", "hunch_costs"), each="message")
def compare_messages(
    assignments: Table,
    experiments: Table,
    events: Table,
    outcomes: Table,
    *,
    message: str,
    as_of: Annotated[datetime.date, About("Horizons that end on this day or earlier are over.")],
    sends: Annotated[
        list[str],
        About("The tests that sent the variants, in order; the test of the same name unless given."),
    ] = [],  # noqa: B006
    measured_by: Annotated[
        list[Outcome], About("What decides, the first foremost: `gift`, `click`, `sign-up`, …; never opens.")
    ] = ["gift"],  # noqa: B006
    measured_from: Annotated[
        Literal["events", "outcomes"], About("Where from: what people did, or what a file says of them.")
    ] = "events",
    amounts: Annotated[
        list[str], About("Kinds of events whose amounts are added up; all others are yes or no.")
    ] = ["gift"],  # noqa: B006
    horizon_days: Annotated[int, About("Days from the send on within which an event counts.", ge=1)] = 7,
    mode: Annotated[
        Literal["fixed", "bandit"],
        About("`fixed` is read once, when all horizons are over; `bandit` gives shares for each next batch."),
    ] = "fixed",
    hunches: Annotated[list[str], About("Variants that were expected to win, named before the send.")] = [],  # noqa: B006
    remaining: Annotated[int, About("Recipients who have not been written to yet.", ge=0)] = 0,
    leader_share: Annotated[
        float, About("Of the next batch of a bandit, the share for the likely best.", gt=0, le=1)
    ] = 0.5,
    smallest_share: Annotated[
        float, About("Of the next batch of a bandit, the least for any variant.", ge=0, le=1)
    ] = 0.0,
    draws: Annotated[int, About("Draws behind probabilities of being best.", ge=1000)] = 20_000,
    rng: np.random.Generator,
) -> Result:
    """Differences as they show, what they are worth after shrinking, and the share of the next batch."""
    names = sends or [message]
    control = _control(experiments, message, names)
    rule = Rule(mode, leader_share, smallest_share, draws, rng)
    rows: dict[str, Rows] = {"messages": [], "message_sends": [], "hunch_costs": []}
    for outcome in measured_by:
        measure = Measure(refuse_opens(outcome), measured_from, horizon_days, outcome in amounts)
        got = read_recipients(assignments, events, outcomes, names, control, measure)
        unknown = [hunch for hunch in hunches if hunch not in got.labels and len(got.arm)]
        if unknown:
            raise DesignError.unknown(f"[messages.{message}] hunches", unknown[0], got.labels)
        got, why = _readable(got, measure, mode, as_of)
        key = (message, outcome, outcome in amounts)
        of_sends, decays = _sends(key, got, names, why)
        found, judged, why = _judge(got, rule, why)
        rows["message_sends"] += of_sends
        rows["messages"] += _variants(key, got.labels, hunches, (found, judged, why), decays)
        rows["hunch_costs"] += _costs(key, got.labels, hunches, remaining, (found, judged, why))
    return {name: _columns(name, found) for name, found in rows.items()}


def _columns(name: str, rows: Rows) -> dict[str, list[Any]]:
    names = spec(name).names
    return {column: [row[i] for row in rows] for i, column in enumerate(names)}


def _control(experiments: Table, message: str, names: list[str]) -> str:
    rows = experiments.filter(experiments.experiment.isin(names) & experiments.is_control).to_pyarrow()
    controls = dict(zip(rows["experiment"].to_pylist(), rows["arm"].to_pylist(), strict=True))
    for name in names:
        if name not in controls:
            raise DesignError.of(
                f"[messages.{message}] has no test {name}", then=f"add [experiments.{name}], or set sends"
            )
    if len(set(controls.values())) > 1:
        raise DesignError.of(
            f"[messages.{message}]: the sends have different controls",
            received=sorted(set(controls.values())),
            allowed="one variant that is in all of them",
        )
    return controls[names[0]]


def _readable(
    got: Recipients, measure: Measure, mode: str, as_of: datetime.date
) -> tuple[Recipients, str | None]:
    """The recipients that may be read today, and why none may."""
    if not len(got.arm):
        return got, "nobody was sent a variant"
    if measure.measured_from == "events":
        if np.isnat(got.due).any():
            return got, "the day of the send is not known (assigned_on), so there is no horizon"
        end = sealed_until(got, as_of)
        if end is not None and mode == "fixed":
            return got, f"sealed until {end}, when the horizon of {measure.horizon_days} days is over"
        got = got.at(got.due <= np.datetime64(as_of))
    why = None
    if not len(got.arm):
        why = f"no horizon of {measure.horizon_days} days is over yet"
    elif np.isinf(got.value).any():
        why = f"{int(np.isinf(got.value).sum()):,} recipients have an infinite outcome"
    elif np.isnan(got.value).all():
        why = f"nobody has the outcome {measure.outcome}"
    return got, why


def _sends(
    key: tuple[str, str, bool], got: Recipients, names: list[str], why: str | None
) -> tuple[Rows, list[Decay]]:
    """Each variant in each send, and whether its difference to control wears off."""
    k, rows = len(got.labels), []
    seen = np.full((len(names), k, 2), np.nan)
    for send, name in enumerate(names):
        part = got.at(got.send == send)
        value = np.full(len(part.arm), np.nan) if why else part.value
        found = stats.variants.variant_means(value, part.arm, part.unit, n_arms=k)
        apart = stats.variants.differences(found, 0)
        seen[send] = np.column_stack([apart.estimate, apart.std_error])
        for code, arm in enumerate(got.labels):
            numbers = (found.mean[code], *(column[code] for column in apart[:4]))
            shown = map(_finite, numbers)
            rows.append(
                (key[0], arm, key[1], send + 1, name, int(found.n[code]), *shown, why or apart.reason[code])
            )
    decays = []
    for code in range(k):
        there = np.flatnonzero(seen[:, code, 1] > 0)
        decays.append(stats.novelty.fit_decay(there, seen[there, code, 0], seen[there, code, 1]))
    return rows, decays


def _judge(got: Recipients, rule: Rule, why: str | None) -> tuple[Variants, Judged | None, str | None]:
    k, n_sends = len(got.labels), int(got.send.max()) + 1 if len(got.send) else 1
    value = np.full(len(got.arm), np.nan) if why else got.value
    plain = stats.variants.variant_means(value, got.arm, got.unit, n_arms=k)
    why = why or _too_little(got, plain)
    if why:
        return plain, None, why
    try:
        level = stats.variants.remove_send(value, got.arm, got.send, n_arms=k, n_sends=n_sends)
    except DesignError as error:
        return plain, None, str(error)
    found = stats.variants.variant_means(level, got.arm, got.unit, n_arms=k)
    found = found._replace(n_responders=plain.n_responders)
    alive = np.flatnonzero(found.n > 0)
    seen = found.mean[alive], found.steady_error[alive]
    shrunk = stats.winners.shrink_variants(*seen)
    point = stats.winners.empirical_bayes(*seen)
    chances = stats.bandits.chances(stats.winners.draw_means(shrunk, rule.draws, rule.rng))
    winner = int((shrunk.weight @ shrunk.mean).argmax())
    share = (np.arange(len(alive)) == winner).astype(np.float64)
    if rule.mode == "bandit":
        share = stats.bandits.top_two_shares(
            chances.p_best, leader_share=rule.leader_share, smallest_share=rule.smallest_share
        )
    against = np.eye(len(alive))
    against[:, 0] -= 1.0
    gain = stats.winners.contrast(shrunk, against)
    told = Judged(
        int(alive[winner]),
        _wide(point, alive, k),
        _wide(gain.low, alive, k),
        _wide(gain.high, alive, k),
        _wide(chances.p_best, alive, k),
        _wide(chances.expected_loss, alive, k),
        _wide(share, alive, k),
        shrunk,
        alive,
    )
    return found, told, None


def _too_little(got: Recipients, found: Variants) -> str | None:
    if not found.n[0]:
        return f"the control {got.labels[0]} went to nobody whose outcome is known"
    if np.sum(found.n > 0) < 2:
        return "only one variant was sent: nothing to compare"
    responders = int(found.n_responders.sum())
    if responders < FEWEST:
        return f"{responders} responded in all, fewer than {FEWEST}: too few to tell variants apart"
    if not np.nanmax(found.steady_error) > 0:
        return "the outcome does not vary, so nothing can be told"
    return None


def _wide(values: Floats, alive: npt.NDArray[np.int64], k: int) -> Floats:
    wide = np.full(k, np.nan)
    wide[alive] = values
    return wide


def _variants(
    key: tuple[str, str, bool],
    labels: list[str],
    hunches: list[str],
    result: tuple[Variants, Judged | None, str | None],
    decays: list[Decay],
) -> Rows:
    found, judged, why = result
    apart = stats.variants.differences(found, 0)
    rows: Rows = []
    for code, arm in enumerate(labels):
        n, decay = int(found.n[code]), decays[code]
        counts = (n, int(found.n_missing[code]), int(found.n_responders[code]))
        rate = found.n_responders[code] / n if n else np.nan
        shown = [rate, found.mean[code]]
        shown += [np.nan] * 4 if judged is None else [column[code] for column in apart[:4]]
        told = [np.nan] * 6
        if judged is not None:
            gains = [judged.point[code] - judged.point[0], judged.low[code], judged.high[code]]
            told = [np.nan] * 3 if code == 0 else gains
            told += [judged.p_best[code], judged.expected_loss[code], judged.next_share[code]]
        fading = (decay.half_life, decay.low, decay.high)
        chosen = None if judged is None else code == judged.winner
        flags = (code == 0, arm in hunches, chosen, key[2])
        rows.append(
            (
                key[0],
                arm,
                key[1],
                *flags,
                *counts,
                *map(_finite, (*shown, *told, *fading)),
                decay.reason if code else "all others are read against it",
                why or apart.reason[code],
            )
        )
    return rows


def _costs(
    key: tuple[str, str, bool],
    labels: list[str],
    hunches: list[str],
    remaining: int,
    result: tuple[Variants, Judged | None, str | None],
) -> Rows:
    """What the staff's choice, control, or a blind choice loses against the variant to send."""
    found, judged, why = result
    rules = [(f"hunch: {arm}", [labels.index(arm)]) for arm in hunches if arm in labels]
    rules += [(f"control: {labels[0]}", [0]), ("a variant at random", list(range(len(labels))))]
    if judged is None:
        return [(*key[:2], name, *[None] * 5, remaining, None, None, None, why) for name, _ in rules]
    rows: Rows = []
    for name, choice in rules:
        chosen = np.isin(judged.alive, choice).astype(np.float64)
        if not chosen.any():
            rows.append(
                (*key[:2], name, *[None] * 5, remaining, None, None, None, "the variant went to nobody")
            )
            continue
        weights = (judged.alive == judged.winner) - chosen / chosen.sum()
        told = stats.winners.contrast(judged.shrunk, weights)
        shown = weights @ found.mean[judged.alive]
        cost = max(0.0, float(weights @ judged.point[judged.alive]))
        ends = (cost, float(told.low[0]), float(told.high[0]))
        total = [remaining * end for end in ends] if remaining else [None] * 3
        rows.append((*key[:2], name, labels[judged.winner], float(shown), *ends, remaining, *total, None))
    return rows


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
