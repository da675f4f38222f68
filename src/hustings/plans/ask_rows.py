"""The chosen asks ─► rows of `ask_plan` and of `offers`."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from hustings.plans.ask_amounts import Fit, Strings
from hustings.plans.ask_people import Candidates, Chosen, Floats, Integers, Rules
from hustings.plans.ask_tests import Segments
from hustings.plans.ask_values import Valued
from hustings.tables import spec

_STEPS = 20


def dollars(cents: Any) -> str:
    """An amount as it is suggested.

    >>> dollars(2500), dollars(1250)
    ('25', '12.50')
    """
    return f"{cents / 100:,.0f}" if cents % 100 == 0 else f"{cents / 100:,.2f}"


def plan_rows(
    rules: Rules,
    people_of: Candidates,
    done: Chosen,
    fits: dict[str, Fit],
    valued: dict[str, Valued],
    strings: Strings,
    segments: Segments,
) -> dict[str, Any]:
    """The rows of `ask_plan`: those held out included and marked."""
    parts = []
    for j, name in enumerate(rules.channels):
        own = np.flatnonzero(done.action == j)
        own = own[np.argsort(done.rank[own], kind="stable")]
        fit, one = fits[name], valued[name]
        low, high = one.ends_of(fit, people_of, own)
        held = done.held_out[own]
        headroom = people_of.headroom[own]
        parts.append({
            "plan_id": np.full(own.size, rules.plan_id, object),
            "person_id": people_of.person_id[own],
            "household_id": people_of.household_id[own],
            "channel": np.full(own.size, name, object),
            "segment": np.array(segments.labels, object)[people_of.segment[own]],
            "string": np.array(strings.names, object)[fit.string[own]],
            "held_out": held,
            "amounts": np.array([", ".join(dollars(c) for c in row if np.isfinite(c)) for row in fit.amounts[own]], object),
            "smallest_cents": fit.smallest[own].astype(np.int64),
            "largest_cents": fit.largest[own].astype(np.int64),
            "headroom_cents": np.where(np.isfinite(headroom), headroom, np.nan),
            "one_click": people_of.one_click[own],
            "ask_on": np.array([rules.first + datetime.timedelta(int(d)) for d in done.day[own]], object),
            "rank": done.rank[own],
            "cost_cents": np.where(held, 0.0, rules.costs[name]),
            "expected_cents": done.gain[own, j],
            "low": low,
            "high": high,
            "as_of": np.full(own.size, rules.as_of, object),
            "reason": _changed(fit.capped[own], fit.outside[own]),
        })  # fmt: skip
    return {name: _joined([part[name] for part in parts]) for name in spec("ask_plan").names}


def _changed(capped: npt.NDArray[np.bool_], outside: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    texts = np.array([None, "amounts that the law does not allow were taken out", "amounts outside those tested were taken out",
                      "amounts that the law does not allow, or that were not tested, were taken out"], object)  # fmt: skip
    return np.asarray(texts[capped + 2 * outside.astype(np.int64)])


def _joined(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, object)


def offer_rows(
    rules: Rules,
    people_of: Candidates,
    done: Chosen,
    fits: dict[str, Fit],
    valued: dict[str, Valued],
    strings: Strings,
) -> dict[str, list[Any]]:
    """Cumulative steps of the plan, and of asking the biggest givers first with the rule's string."""
    rows: list[dict[str, Any]] = []
    sent = np.flatnonzero((done.action >= 0) & ~done.held_out)
    names = list(rules.channels)
    cost = np.array([rules.costs[name] for name in names])
    each = done.gain[sent, done.action[sent]] if sent.size else np.zeros(0)
    ways = {
        "plan": np.argsort(-each / np.maximum(cost[done.action[sent]], 1e-9), kind="stable"),
        "biggest givers first": np.argsort(-np.nan_to_num(people_of.last[sent]), kind="stable"),
    }
    tested = any(one.unasked is not None for one in valued.values())
    for way, order in ways.items():
        own = sent[order]
        ends = np.unique(np.linspace(0, own.size, _STEPS + 1).round().astype(int))
        for step, end in enumerate(ends):
            part = own[:end]
            drawn = total_draws(
                rules, people_of, part, done.action[part], fits, valued, strings if way != "plan" else None
            )
            gain, error = (float(drawn.mean()), float(drawn.std())) if drawn is not None else (None, None)
            rows.append({
                "offer": f"ask_plan.{rules.plan_id}", "way": way, "step": step,
                "channel": names[int(np.bincount(done.action[part]).argmax())] if end else names[0] if names else None,
                "unit": "cents", "cost_cents": float(cost[done.action[part]].sum()) if end else 0.0,
                "gain": gain, "std_error": error, "votes": None,
                "evidence": f"ask tests of {rules.plan_id}", "tested": tested, "starts_on": rules.first,
                "as_of": rules.as_of,
                "reason": None if gain is not None else f"the string {rules.rule} was not tested on all of them",
            })  # fmt: skip
    return {name: [row[name] for row in rows] for name in spec("offers").names}


def total_draws(
    rules: Rules,
    people_of: Candidates,
    who: Integers,
    channel: Integers,
    fits: dict[str, Fit],
    valued: dict[str, Valued],
    strings: Strings | None,
    string: int | None = None,
) -> Floats | None:
    """(d,) draws of what asking these people brings: with their own strings, or with one for all.

    Args:
        rules: The section.
        people_of: Everyone.
        who: Rows of people.
        channel: Their channels' numbers.
        fits: What each may be asked for.
        valued: What the tests say.
        strings: Given where one string goes to all: the rule's, unless `string` says which.
        string: Code of that string.

    Returns:
        Cents; None where somebody's string was not tested on her segment.
    """
    total: Floats | None = np.zeros(1)
    for j, name in enumerate(rules.channels):
        own = who[channel == j]
        if not own.size:
            continue
        if strings is None:
            codes_of = fits[name].string[own]
        else:
            codes_of = np.full(own.size, strings.names.index(rules.rule) if string is None else string)
        part = fits[name].part[own] if strings is None else np.ones(own.size)
        drawn = valued[name].sum_draws(people_of.segment[own], codes_of, part)
        total = None if drawn is None or total is None else total + drawn
    return total
