"""The asks by telephone ─► the sheet of the next call time: whom, for how much, what to say."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from hustings.plans.ask_amounts import Fit, Strings
from hustings.plans.ask_people import Candidates, Chosen, Rules
from hustings.plans.ask_rows import dollars
from hustings.plans.ask_values import Valued
from hustings.tables import spec

PHONE = "phone"


def sheet_rows(
    rules: Rules,
    people_of: Candidates,
    done: Chosen,
    fits: dict[str, Fit],
    valued: dict[str, Valued],
    strings: Strings,
    reached: npt.NDArray[np.bool_],
    work: tuple[float, int],
) -> dict[str, Any]:
    """The rows of `call_sheets`: where no test of calls says what one brings, the biggest givers first.

    Args:
        rules: The section.
        people_of: Everyone who may be asked.
        done: What is done with each.
        fits: What each may be asked for.
        valued: What the tests say.
        strings: The strings.
        reached: (n, c) who has not refused which channel.
        work: Minutes of a call, and calls of a sheet.

    Returns:
        Nobody without the channel `phone`, or with a deadline that is past.
    """
    empty: dict[str, Any] = {name: [] for name in spec("call_sheets").names}
    over = rules.deadline is not None and rules.deadline < rules.first
    if PHONE not in rules.channels or over:
        return empty
    j = list(rules.channels).index(PHONE)
    one, minutes = valued[PHONE], work[0]
    if one.compared is not None:
        who = np.flatnonzero((done.action == j) & ~done.held_out & (done.day == 0))
        ask = np.nan_to_num(fits[PHONE].largest)
        expected = done.gain[:, j]
        order = np.lexsort((people_of.person_id[who].astype(str), -expected[who]))
        low, high = one.ends_of(fits[PHONE], people_of, who)
    else:
        ask = _by_thumb(people_of, strings.rounded)
        who = np.flatnonzero(people_of.may & reached[:, j] & (ask > 0))
        expected = np.full(len(ask), np.nan)
        order = np.lexsort((people_of.person_id[who].astype(str), -people_of.last[who]))
        low = high = np.full(who.size, np.nan)
    order = order[: work[1]]
    low, high, who = low[order], high[order], who[order]
    row = {name: column[who] for name, column in people_of.row.items()}
    headroom = people_of.headroom[who]
    n = who.size
    rows = {
        "plan_id": np.full(n, rules.plan_id, object),
        "person_id": people_of.person_id[who],
        "household_id": people_of.household_id[who],
        "call_on": np.full(n, rules.first, object),
        "rank": np.arange(1, n + 1),
        "ask_cents": ask[who].astype(np.int64),
        "legal_maximum_cents": np.where(np.isfinite(headroom), headroom, np.nan),
        "n_gifts": np.nan_to_num(np.asarray(row["n_gifts"], np.float64)).astype(np.int64),
        **{name: row[name] for name in ("total_given", "last_gift_on", "last_gift_cents", "pledged_cents", "missing")},
        "say": np.array([say(dict(zip(row, values, strict=True)), int(ask[i]), people_of.headroom[i], people_of.election["election"]) for i, values in zip(who, zip(*row.values(), strict=True), strict=True)], object),
        "expected_cents": expected[who],
        "low": low,
        "high": high,
        "cents_per_minute": expected[who] / minutes,
        "as_of": np.full(n, rules.as_of, object),
        "reason": np.full(n, None if one.compared is not None else f"calls in order of the last gift, which is asked for again: {one.why}", object),
    }  # fmt: skip
    return {name: rows[name] for name in spec("call_sheets").names}


def _by_thumb(people_of: Candidates, rounded: int) -> npt.NDArray[np.float64]:
    """(n,) the last gift again, as far as the law allows; 0 for who has never given."""
    again = np.maximum(np.round(np.nan_to_num(people_of.last) / rounded) * rounded, rounded)
    again = np.where(np.isnan(people_of.last), 0.0, again)
    return np.floor(np.minimum(again, people_of.headroom))


def say(row: dict[str, Any], ask: int, headroom: float, election: str) -> str:
    """What to say, and what to know while saying it.

    >>> say({"last_gift_cents": 5000.0, "last_gift_on": datetime.date(2026, 5, 3), "n_gifts": 2, "total_given": 9000.0,
    ...      "pledged_cents": 0.0, "missing": None}, 7500, 340000.0, "primary")
    'Gave 50 on 3 May 2026, 90 in 2 gifts. Ask for 75 for the primary; the law allows 3,400 more.'
    """
    parts = []
    last, on = row.get("last_gift_cents"), row.get("last_gift_on")
    if on is not None and last is not None and np.isfinite(last):
        day = on if isinstance(on, datetime.date) else np.datetime64(on, "D").astype(object)
        n = int(row["n_gifts"])
        many = f", {dollars(row['total_given'])} in {n} gifts" if n > 1 else ", the only gift so far"
        parts.append(f"Gave {dollars(last)} on {day.day} {day:%B %Y}{many}.")
    else:
        parts.append("Has not given yet.")
    law = f"; the law allows {dollars(headroom)} more" if np.isfinite(headroom) else ""
    parts.append(f"Ask for {dollars(ask)} for the {election}{law}.")
    pledged = row.get("pledged_cents")
    if pledged is not None and np.isfinite(pledged) and pledged > 0:
        parts.append(f"Pledged {dollars(pledged)}, not received yet: ask for that first.")
    if isinstance(row.get("missing"), str) and np.nan_to_num(row.get("total_given") or 0.0) > 0:
        parts.append(f"Ask for {row['missing'].replace(', ', ' and ')} too.")
    return " ".join(parts)
