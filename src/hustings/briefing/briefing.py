"""The day's tables ─► its findings in order of importance, each a sentence with what it rests on."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from hustings.briefing.counted import digits, noun
from hustings.briefing.ledger import ledger_findings
from hustings.briefing.media import media_findings
from hustings.briefing.messages import message_findings
from hustings.briefing.missing import missing_findings
from hustings.briefing.race import odds_text
from hustings.briefing.race_words import chances, counts_most, worth_text
from hustings.briefing.spending import spending_findings
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import count

Row = dict[str, Any]
_FAR = 4.5
"""Standard deviations by which a poll may differ from what all others foretell: chance of 1 in 150,000."""


class Finding(NamedTuple):
    """One finding: its kind, the sentence, what it rests on, and what to do about it."""

    kind: str
    finding: str
    detail: str
    action: str | None = None


@stage(writes="briefing")
def write_findings(
    decisions: Table,
    options: Table,
    actions: Table,
    lifts: Table,
    experiments: Table,
    attritions: Table,
    models: Table,
    goals: Table,
    messages: Table,
    hunch_costs: Table,
    loads: Table,
    record_events: Table,
    events: Table,
    record_assignments: Table,
    assignments: Table,
    odds: Table,
    vote_values: Table,
    poll_uses: Table,
    media_options: Table,
    media_checks: Table,
    budget: Table,
    budget_options: Table,
    ledger: Table,
    ledger_fits: Table,
    *,
    as_of: Annotated[datetime.date, About("The day of the briefing.")],
    currency: Annotated[str, About("Of all amounts.")],
) -> Result:
    """Decisions first, then goals that are behind, what works, how good the scores are, and the data."""
    today = [row for row in _rows(decisions) if row["as_of"] == as_of]
    valued = [row for row in _rows(options) if row["estimator"] == "aipw"]
    findings = [
        *_decided(today, valued, _rows(actions), currency),
        *(
            Finding("plan", *told)
            for told in spending_findings(_rows(budget), _rows(budget_options), currency)
        ),
        *(Finding("plan", *told) for told in ledger_findings(_rows(ledger), _rows(ledger_fits))),
        *_races(_rows(odds), _rows(vote_values)),
        *(
            Finding("plan", *told)
            for told in media_findings(_rows(media_options), _rows(media_checks), currency)
        ),
        *_goals(_rows(goals)),
        *(Finding("lift", *told) for told in message_findings(_rows(messages), _rows(hunch_costs), currency)),
        *_lifts(_rows(lifts)),
        *_tests(_rows(experiments)),
        *(Finding("lift", *told) for told in missing_findings(_rows(attritions))),
        *_scores(_rows(models.drop("model"))),
        *_polls(_rows(poll_uses)),
        *_data(_current(_rows(loads))),
        *_strangers(count(record_events) - count(events), "events"),
        *_strangers(count(record_assignments) - count(assignments), "assignments"),
    ]
    findings = findings or [
        Finding("headline", "Nothing has been planned, tested or scored yet.", "No section asks for it.")
    ]
    first = findings[0]._replace(kind="headline")
    rows = [(rank, *found, as_of) for rank, found in enumerate([first, *findings[1:]], start=1)]
    return dict(zip(spec("briefing").names, map(list, zip(*rows, strict=True)), strict=True))


def _rows(table: Any) -> list[Row]:
    rows: list[Row] = table.to_pyarrow().to_pylist()
    return rows


def _current(loads: list[Row]) -> list[Row]:
    return list({row["source"]: row for row in sorted(loads, key=lambda row: row["loaded_at"])}.values())


def _decided(
    decisions: list[Row], options: list[Row], actions: list[Row], currency: str
) -> Iterator[Finding]:
    for row in {row["plan_id"]: row for row in decisions}.values():
        plan = {o["option"]: o for o in options if o["plan_id"] == row["plan_id"]}
        if row["plan_id"] == "budget":
            continue
        if row["expected"] is None:
            yield Finding("decision", f"Send nothing of {row['plan_id']}.", row["recommendation"])
        else:
            sent = plan["plan"]["n_households"]
            yield Finding(
                "decision",
                f"{sent:,} pieces of {row['plan_id']} would add {_gain(row['expected'], row)} "
                f"for {_money(row['cost_cents'], currency)}.",
                row["recommendation"],
                f"hustings export {row['plan_id']}",
            )
        yield from _if_approved(plan, actions)


def _if_approved(plan: dict[str, Row], actions: list[Row]) -> Iterator[Finding]:
    waiting = [a["arm"] for a in actions if a["needs_approval"] and not a["approved_by"]]
    more = plan.get("plan if all approved")
    if not waiting or more is None or more["reason"] or more["low"] <= 0:
        return
    yield Finding(
        "plan",
        f"With {_listed(waiting)} approved, the same money would add {_gain(more['gain'], more)}.",
        f"95 % interval {_gain(more['low'], more).split()[0]} to {_gain(more['high'], more).split()[0]}; left out until someone puts a name to it.",
        "set approved_by in the action's section",
    )


def _races(odds: list[Row], values: list[Row]) -> Iterator[Finding]:
    for race in dict.fromkeys(row["race"] for row in odds):
        own: dict[str, Mapping[str, Any]] = {row["estimator"]: row for row in odds if row["race"] == race}
        first = own["forecast"]
        yield Finding(
            "forecast", f"{first['choice']}: {chances(first['p_win'])} of winning ({race}).", odds_text(own)
        )
        worth = [row for row in values if row["race"] == race and row["relative"] is not None]
        if len(worth) > 1:
            best = max(worth, key=lambda row: row["relative"])
            told = counts_most(best, True)
            alike = "everywhere" in told
            where = worth_text(best) if not alike else "The places differ by less than 5 in 100"
            yield Finding("forecast", f"{told} ({race}).", f"{where}.")


def _polls(uses: list[Row]) -> Iterator[Finding]:
    for race in dict.fromkeys(row["race"] for row in uses):
        own = [row for row in uses if row["race"] == race]
        far = [row for row in own if row["used"] and abs(row["surprise"] or 0) > _FAR]
        if far:
            told = ", ".join(f"{row['pollster'] or row['poll_id']} in {row['place_id']}" for row in far[:3])
            yield Finding(
                "data",
                f"{len(far):,} polls of {race} lie far from what all others foretell.",
                f"{told}: a fault of typing, two candidates for each other, or news.",
                f"hustings show poll_uses.{race}",
            )
        left = [row["reason"] for row in own if not row["used"]]
        if left:
            common = max(set(left), key=left.count)
            yield Finding(
                "data",
                f"{len(left):,} of {len(own):,} polls of {race} are not used.",
                f"Most often because {common} ({left.count(common):,}).",
                f"hustings show poll_uses.{race}",
            )


def _goals(goals: list[Row]) -> Iterator[Finding]:
    for row in goals:
        if row["status"] != "behind":
            continue
        gap = 1 - row["actual"] / row["expected"]
        yield Finding(
            "goal",
            f"{row['about']} are {gap:.0%} behind plan.",
            f"{row['actual']:,.0f} of {row['expected']:,.0f} by today; {row['target']:,.0f} by {row['due_on']}.",
        )


def _lifts(told: list[Row]) -> Iterator[Finding]:
    lifts = [row for row in told if row["estimator"] == "intention_to_treat"]
    for test, outcome in dict.fromkeys((row["experiment"], row["outcome"]) for row in lifts):
        own = [row for row in lifts if (row["experiment"], row["outcome"]) == (test, outcome)]
        read = [row for row in own if row["estimate"] is not None]
        if not read and (own[0]["reason"] or "").startswith("sealed"):
            yield Finding(
                "lift", f"The test {test} is {own[0]['reason']}.", f"It is to be read on {outcome} then."
            )
            continue
        if not read:
            yield Finding("lift", f"The test {test} cannot be read on {outcome}.", own[0]["reason"])
            continue
        best = max(read, key=lambda row: row["estimate"])
        proven = best["low"] > 0
        words = "raised" if proven else "is not proven to have raised"
        share = best["unit"] != "amount"
        size = f"{100 * best['estimate']:.1f} points" if share else f"{best['estimate']:,.2f}"
        ends = (
            f"{100 * best['low']:.1f} to {100 * best['high']:.1f}"
            if share
            else f"{best['low']:,.2f} to {best['high']:,.2f}"
        )
        yield Finding(
            "lift",
            f"{best['arm']} {words} {outcome} by {size}, the most of {len(read)} arms of {test}."
            if proven
            else f"No arm of {test} is proven to have raised {outcome}; {best['arm']} came nearest, at {size}.",
            f"95 % interval {ends}; {best['n_arm']:,} people in the arm, {best['n_control']:,} in control.",
        )


def _tests(experiments: list[Row]) -> Iterator[Finding]:
    for test in dict.fromkeys(row["experiment"] for row in experiments):
        first = next(row for row in experiments if row["experiment"] == test)
        if first["p_sample_ratio"] is not None and first["p_sample_ratio"] < 0.001:
            detail = f"Chance of shares this far from the planned ones: {first['p_sample_ratio']:.2g}."
            yield Finding(
                "lift",
                f"The arms of {test} do not have their planned sizes.",
                detail,
                "find out why before reading it",
            )
        if first["p_balance"] is not None and first["p_balance"] < 0.001:
            detail = f"Chance of differences this large before the test: {first['p_balance']:.2g}."
            yield Finding(
                "lift",
                f"The arms of {test} differed before it began.",
                detail,
                f"hustings show balances.{test}",
            )
        if first["n_mixed_units"]:
            detail = f"{first['n_mixed_units']:,} of them."
            yield Finding(
                "lift", f"Some units of {test} are in several arms.", detail, "check the unit in its section"
            )


def _scores(models: list[Row]) -> Iterator[Finding]:
    for row in models:
        if not row["model_id"].startswith("scores."):
            continue
        name = row["model_id"].removeprefix("scores.")
        if not row["published"]:
            yield Finding("score", f"The score {name} is not published.", f"{row['reason']}.")
            continue
        yield (
            _amount_score(name, row)
            if row["mean_error"] is not None
            else Finding(
                "score",
                f"The score {name} is right to within {100 * row['calibration_error']:.1f} points and beats {row['rule']}.",
                f"Out of sample: log-loss {row['log_loss']:.4f} against {row['rule_log_loss']:.4f}, "
                f"AUC {row['auc']:.3f} against {row['rule_auc']:.3f}; {row['n_people']:,} people.",
            )
        )


def _amount_score(name: str, row: Row) -> Finding:
    return Finding(
        "score",
        f"The score {name} tells amounts better than {row['rule']}.",
        f"Out of sample: off by {row['mean_error'] / 100:,.2f} on average against "
        f"{row['rule_mean_error'] / 100:,.2f}; {row['n_people']:,} people.",
    )


def _data(loads: list[Row]) -> Iterator[Finding]:
    rejected = sum(row["n_rejected"] for row in loads)
    read = sum(row["n_read"] for row in loads)
    if not loads:
        return
    what = (
        f"{rejected:,} of {read:,} rows could not be kept." if rejected else f"All {read:,} rows were kept."
    )
    told = "; ".join(
        f"{row['source']}: {row['n_kept']:,} kept, {row['n_rejected']:,} set aside" for row in loads
    )
    yield Finding("data", what, f"{told}.", "hustings show rejects" if rejected else None)


def _strangers(number: int, what: str) -> Iterator[Finding]:
    if number > 0:
        why = "they speak of a record that no source holds"
        also = (
            ", or of a person whom two rows put into different arms, or twice"
            if what == "assignments"
            else ""
        )
        yield Finding(
            "data", f"{number:,} {what} are left out.", f"{why[0].upper()}{why[1:]}{also}.", "hustings check"
        )


def _gain(number: float, row: Row) -> str:
    shown = 100 * number if row["unit"] == "win" else number
    return f"{shown:,.{digits(row)}f} {noun(row)}"


def _money(cents: float, currency: str) -> str:
    amount = f"{cents / 100:,.0f}"
    return f"${amount}" if currency == "USD" else f"{amount} {currency}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
