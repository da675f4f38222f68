"""The plan and the rules of thumb beside it, and each string as the tests show it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hustings.plans.ask_amounts import Fit, Strings
from hustings.plans.ask_people import Candidates, Chosen, Floats, Rules
from hustings.plans.ask_rows import total_draws
from hustings.plans.ask_tests import Segments
from hustings.plans.ask_values import Valued
from hustings.stage import Table
from hustings.tables import spec

Row = dict[str, Any]
_ONE_AND_A_HALF = 1.5


def option_rows(
    rules: Rules,
    people_of: Candidates,
    done: Chosen,
    fits: dict[str, Fit],
    valued: dict[str, Valued],
    strings: Strings,
    reached: npt.NDArray[np.bool_],
    told: Table,
) -> dict[str, list[Any]]:
    """The rows of `ask_options`.

    Args:
        rules: The section.
        people_of: Everyone who may be asked.
        done: What is done with each.
        fits: What each may be asked for.
        valued: What the tests say.
        strings: The strings.
        reached: (n, c) who has not refused which channel: a rule of thumb may not ask them either.
        told: Tests of matches and deadlines, as `messages` has them.

    Returns:
        The plan, the rules of thumb, and those tests.
    """
    sent = np.flatnonzero((done.action >= 0) & ~done.held_out)
    channel = done.action[sent]
    mine = total_draws(rules, people_of, sent, channel, fits, valued, None) if sent.size else None
    cost = (
        float(np.array([rules.costs[name] for name in rules.channels])[channel].sum()) if sent.size else 0.0
    )
    why = None if sent.size else _why_nobody(rules, valued)
    note = _note(valued)
    rows = [_row(rules, "plan", "each segment's best string, first where a cent brings most", sent.size, cost, mine, None, why or note)]  # fmt: skip
    against = {name: _tested(valued, done, sent, name) for name in ("against_rule", "against_one")}
    for name, about, string, test in _ways(rules, strings, valued):
        drawn = None
        if string is not None and sent.size:
            drawn = total_draws(rules, people_of, sent, channel, fits, valued, strings, string)
        reason = None if drawn is not None else why or "that string was not tested on all of these people: no extrapolation"  # fmt: skip
        own = _row(rules, name, about, sent.size, cost, drawn, mine, reason)
        rows.append(own | (against[test] if test else {}))
    free = reached & people_of.may[:, None]
    rows += _thumb_by_size(rules, people_of, done, free, fits, valued, strings, (mine, cost))
    rows += _matches(rules, told)
    return {name: [row.get(name) for row in rows] for name in spec("ask_options").names}


def _ways(
    rules: Rules, strings: Strings, valued: dict[str, Valued]
) -> list[tuple[str, str, int | None, str | None]]:
    """The rules of thumb about strings: name, what it does, code, and the test of the plan against it."""
    best = _best_for_all(valued)
    found: list[tuple[str, str, int | None, str | None]] = [
        (f"{rules.rule} for all", "the same people, the rule's string for everyone", strings.names.index(rules.rule), "against_rule")
    ]  # fmt: skip
    if best is not None:
        found.append((f"best string for all: {strings.names[best]}", "the same people, the one string that brings most from all together", best, "against_one"))  # fmt: skip
    more = [k for k in range(len(strings.names)) if strings.relative[k] and np.nanmin(np.abs(strings.amounts[k] - _ONE_AND_A_HALF)) < 1e-9]  # fmt: skip
    found.append(("last gift × 1.5 for all", "the same people, all asked for half as much again as last time", more[0] if more else None, None))  # fmt: skip
    return found


def _best_for_all(valued: dict[str, Valued]) -> int | None:
    """The string with the most revenue over all people tested; those tested everywhere only."""
    total: Floats | None = None
    for one in valued.values():
        if one.compared is None:
            continue
        people = one.compared.n.sum(axis=1).astype(np.float64)
        asked = people > 0
        own = people[asked] @ one.expected[asked]
        total = own if total is None else total + own
    if total is None or not np.isfinite(total).any():
        return None
    return int(np.nanargmax(total))


def _tested(valued: dict[str, Valued], done: Chosen, sent: Any, name: str) -> Row:
    """The plan's choice against a rule on people it was not chosen by, over channels as the plan uses them."""
    from scipy.special import ndtr

    told = [
        (getattr(one, name), int((done.action[sent] == j).sum())) for j, one in enumerate(valued.values())
    ]
    used = [(found, n) for found, n in told if found is not None and n]
    if not used:
        return {}
    share = np.array([n for _, n in used], np.float64) / sum(n for _, n in used)
    estimate = float(share @ [found.estimate for found, _ in used])
    error = float(np.sqrt(share**2 @ [found.std_error**2 for found, _ in used]))
    p = float(ndtr(-estimate / error)) if error > 0 else None
    return {"test_advantage": estimate, "test_error": error, "p_value": p}


def _thumb_by_size(
    rules: Rules,
    people_of: Candidates,
    done: Chosen,
    free: npt.NDArray[np.bool_],
    fits: dict[str, Fit],
    valued: dict[str, Valued],
    strings: Strings,
    beside: tuple[Floats | None, float],
) -> list[Row]:
    """The biggest givers first, as many as the plan asks by its first channel's price, with the rule's string."""
    mine, cost = beside
    main = max(range(len(rules.channels)), key=lambda j: int((done.action == j).sum()), default=None)
    about = "biggest last gift first, the rule's string, the plan's busiest channel, the same cost"
    if main is None or mine is None:
        return [_row(rules, "biggest givers first", about, 0, None, None, None, _why_nobody(rules, valued))]
    price = rules.costs[list(rules.channels)[main]]
    fits_main = list(fits.values())[main]
    could = np.flatnonzero((fits_main.string >= 0) & free[:, main])
    n = len(could) if price == 0 else min(len(could), int(cost / price))
    own = could[np.argsort(-np.nan_to_num(people_of.last[could]), kind="stable")][:n]
    drawn = total_draws(rules, people_of, own, np.full(own.size, main), fits, valued, strings)
    why = None if drawn is not None else "the rule's string was not tested on all of them"
    return [_row(rules, "biggest givers first", about, own.size, n * price, drawn, mine, why)]


def _matches(rules: Rules, told: Table) -> list[Row]:
    """Matches and deadlines, as their own randomised tests tell."""
    rows = []
    for one in told.order_by("message", "outcome", "arm").to_pyarrow().to_pylist():
        if one["is_control"]:
            continue
        gain = one["gain"] if one["is_amount"] else None
        rows.append({
            "plan_id": rules.plan_id, "option": f"{one['message']}: {one['arm']} on {one['outcome']}",
            "about": f"a test of its own; best with a probability of {one['p_best']:.0%}" if one["p_best"] is not None else "a test of its own",
            "n_people": one["n"], "test_advantage": gain,
            "advantage_low": one["gain_low"] if one["is_amount"] else None,
            "advantage_high": one["gain_high"] if one["is_amount"] else None,
            "as_of": rules.as_of,
            "reason": one["reason"] or ("per recipient against the control; see messages" if one["is_amount"] else "a share, not money: see messages"),
        })  # fmt: skip
    return rows


def _row(
    rules: Rules, name: str, about: str, n: int, cost: float | None, drawn: Floats | None, mine: Floats | None, why: str | None
) -> Row:  # fmt: skip
    row: Row = {"plan_id": rules.plan_id, "option": name, "about": about, "n_people": n, "cost_cents": cost}
    row |= {"as_of": rules.as_of, "reason": why}
    if drawn is not None:
        low, high = np.quantile(drawn, [0.025, 0.975])
        row |= {"expected_cents": float(drawn.mean()), "low": float(low), "high": float(high)}
        if mine is not None:
            apart = mine - drawn
            low, high = np.quantile(apart, [0.025, 0.975])
            row |= {"advantage": float(apart.mean()), "advantage_low": float(low), "advantage_high": float(high)}  # fmt: skip
    return row


def _why_nobody(rules: Rules, valued: dict[str, Valued]) -> str:
    told = [one.why for one in valued.values() if one.why]
    if told and len(told) == len(valued):
        return "; ".join(dict.fromkeys(told))
    if rules.deadline is not None and rules.deadline < rules.first:
        return f"the deadline {rules.deadline} is past"
    if rules.budget == 0:
        return "the budget is 0"
    return "nobody is worth asking, or may be asked: see ask_exclusions"


def _note(valued: dict[str, Valued]) -> str | None:
    told = [name for name, one in valued.items() if one.compared is not None and one.unasked is None]
    return f"{', '.join(told)}: nobody was drawn not to be asked, or none of them gave, so what would have come anyway is in it" if told else None  # fmt: skip


def string_rows(
    rules: Rules, valued: dict[str, Valued], strings: Strings, segments: Segments
) -> dict[str, list[Any]]:
    """The rows of `ask_strings`: every string in every segment that was asked."""
    rows: list[Row] = []
    for name, one in valued.items():
        if one.compared is None:
            rows += [
                {"plan_id": rules.plan_id, "channel": name, "segment": "everyone", "string": string, "is_rule": string == rules.rule, "is_chosen": False, "reason": one.why}
                for string in strings.names
            ]  # fmt: skip
            continue
        for s in np.flatnonzero(one.compared.n.sum(axis=1) > 0):
            rows += [_string(rules, name, one, strings, segments.labels[s], int(s), k) for k in range(len(strings.names))]  # fmt: skip
    return {name: [row.get(name) for row in rows] for name in spec("ask_strings").names}


def _string(rules: Rules, channel: str, one: Valued, strings: Strings, segment: str, s: int, k: int) -> Row:
    compared = one.compared
    assert compared is not None
    rule = strings.names.index(rules.rule)
    n = int(compared.n[s, k])
    row: Row = {
        "plan_id": rules.plan_id, "channel": channel, "segment": segment, "string": strings.names[k],
        "is_rule": k == rule, "is_chosen": bool(compared.choice[s] == k), "n_asked": n, "n_gave": int(compared.n_gave[s, k]),
    }  # fmt: skip
    if not n:
        return row | {"reason": "never tested here: nothing is extrapolated to it"}
    row |= {"smallest_cents": float(one.tested[0][s, k]), "largest_cents": float(one.tested[1][s, k])}
    row |= {"revenue": float(compared.revenue[s, k]), "std_error": float(compared.std_error[s, k])}
    own = compared.draws[:, s, k]
    if not np.isfinite(own).all():
        return row | {"reason": "nobody of this segment gave, so nothing can be told"}
    low, high = np.quantile(own, [0.025, 0.975])
    best = np.nan_to_num(compared.draws[:, s], nan=-np.inf).argmax(axis=1) == k
    row |= {
        "expected": float(own.mean()),
        "low": float(low),
        "high": float(high),
        "p_best": float(best.mean()),
    }
    apart = own - compared.draws[:, s, rule]
    if k != rule and np.isfinite(apart).all():
        low, high = np.quantile(apart, [0.025, 0.975])
        row |= {"gain": float(apart.mean()), "gain_low": float(low), "gain_high": float(high)}
    return row
