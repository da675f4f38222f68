"""Votes while they come in: who has voted early, how the night is going, and what own surveys say."""

from __future__ import annotations

from hustings.briefing import charts
from hustings.briefing.facts import Facts, Record
from hustings.briefing.look import clean, figure, known, plural, spread
from hustings.briefing.panel import Panel, interval_picture
from hustings.briefing.race_words import chances, ends_of, percent

TABLES = ("live", "early_votes", "survey_polls")
_PLACES = 10


def panels(facts: Facts) -> list[Panel]:
    """A panel for each count, each early vote and each survey.

    >>> panels(Facts())
    []
    """
    return [
        *_nights(facts.rows("live")),
        *_early(facts.rows("early_votes")),
        *_surveys(facts.rows("survey_polls")),
    ]


def _nights(rows: list[Record]) -> list[Panel]:
    found = []
    for night in dict.fromkeys(row["night"] for row in rows):
        own = [row for row in rows if row["night"] == night]
        whole = next((row for row in own if row["level"] == "whole"), own[0])
        if known(whole.get("share")) is None:
            found.append(
                Panel(
                    f"live-{night}",
                    f"The count of {clean(night)} cannot be read yet",
                    clean(whole.get("reason")) + ".",
                )
            )
            continue
        regions = [row for row in own if row["level"] != "whole" and known(row.get("share")) is not None]
        regions.sort(
            key=lambda row: (known(row.get("high")) or 0) - (known(row.get("low")) or 0), reverse=True
        )
        lines = [_line(row) for row in [whole, *regions[:_PLACES]]]
        head = ("Place", "Counted, %", "Share of the count, %", "Expected in the end, %", "95 % interval")
        body = [_cells(row) for row in [whole, *regions]]
        text = (
            f"{percent(whole['share_reported'])} % of the expected votes are counted, and of those we have "
            f"{percent(whole['counted_share'])} %: the rule of thumb. Precincts that report early are not like the others; "
            f"in the end {percent(whole['share'])} % is expected (95 % interval {ends_of(whole)}), "
            f"before the night it was {percent(whole['expected_share'])} %."
        )
        title = f"{clean(night)}: {chances(whole['p_win'])} of winning, with {percent(whole['share_reported'], 0)} % counted"
        action = (
            ""
            if 0.02 < (known(whole.get("p_win")) or 0) < 0.98
            else "The count decides it, as far as is known."
        )
        picture = interval_picture(
            f"live-{night}-places", "Where the count is still open", "Lead in points as expected in the end, with 95 % intervals; the widest first.",
            lines, unit="Lead", zero="0 = a tie", head=head, body=body,
        )  # fmt: skip
        found.append(Panel(f"live-{night}", title, text, action, [picture]))
    return found


def _line(row: Record) -> charts.Row:
    share, low, high = (200 * (float(row[key]) - 0.5) for key in ("share", "low", "high"))
    note = f"{percent(row.get('share_reported'), 0)} % counted"
    return charts.Row(
        _name(row),
        share,
        low,
        high,
        figure(share, 1, sign=True),
        spread(low, high, 1),
        note,
        row["level"] == "whole",
    )


def _name(row: Record) -> str:
    return "All" if row["level"] == "whole" else clean(row["place_id"])


def _cells(row: Record) -> tuple[str, ...]:
    return (
        _name(row),
        percent(row.get("share_reported")),
        percent(row.get("counted_share")),
        percent(row.get("share")),
        ends_of(row),
    )


def _early(rows: list[Record]) -> list[Panel]:
    found = []
    for election in dict.fromkeys(row["election"] for row in rows):
        own = [row for row in rows if row["election"] == election]
        whole = next((row for row in own if row["division"] == "whole"), own[0])
        name = f"early-{election}"
        voted = plural(whole.get("n_voted") or 0, "person has voted", "people have voted")
        if known(whole.get("by_now")) is None:
            found.append(Panel(name, f"{voted} early", f"{clean(whole.get('reason'))}."))
            continue
        low, high = float(whole["by_now_low"]), float(whole["by_now_high"])
        pace = (
            "more than"
            if whole["n_voted"] > high
            else "fewer than"
            if whole["n_voted"] < low
            else "about as many as"
        )
        parts = [row for row in own if row["division"] == "party"]
        parts += [row for row in own if row["division"] == "place"][:_PLACES]
        head = ("Group", "Voted", "Expected by now", "95 % range")
        body = [(clean(row["part"]), figure(row.get("n_voted")), figure(row.get("by_now")), spread(row.get("by_now_low"), row.get("by_now_high"))) for row in parts]  # fmt: skip
        title = f"{voted} early, {pace} expected by now"
        action = "Cut the chase lists again: whoever has voted leaves them."
        found.append(Panel(name, title, _early_text(whole), action, [], head, body))
    return found


def _early_text(whole: Record) -> str:
    text = (
        f"By now {figure(whole['by_now'])} were expected (95 % range "
        f"{spread(whole['by_now_low'], whole['by_now_high'])}). In the end {figure(whole.get('votes'))} votes are "
        f"expected (95 % interval {spread(whole.get('votes_low'), whole.get('votes_high'))}); before any was seen it "
        f"was {figure(whole.get('expected_votes'))}."
    )
    if known(whole.get("support_so_far")) is None:
        return text
    return (
        f"{text} The mean support score of those who voted is {percent(whole['support_so_far'])}, expected by now "
        f"{percent(whole.get('support_by_now'))}: a lead among early votes is not a lead in the end."
    )


def _surveys(rows: list[Record]) -> list[Panel]:
    found = []
    for poll in dict.fromkeys(row["poll_id"] for row in rows):
        own = [row for row in rows if row["poll_id"] == poll]
        whole = next((row for row in own if row["level"] == "whole"), own[0])
        name = "survey-" + "".join(c if c.isalnum() else "-" for c in str(poll))
        if known(whole.get("share")) is None:
            found.append(
                Panel(name, f"The survey {clean(poll)} has no number yet", f"{clean(whole.get('reason'))}.")
            )
            continue
        text = (
            f"{plural(whole.get('n_answers') or 0, 'person')} named one of the two; weighted to the voter file they say as much as "
            f"{figure(whole.get('n_effective'))} drawn at random. Unweighted, the rule of thumb, it is {percent(whole.get('raw_share'))} %. "
            "It enters the forecast as a poll."
        )
        title = (
            f"Our own survey has us at {percent(whole['share'])}\u00a0% (95\u00a0% interval {ends_of(whole)})"
        )
        regions = [row for row in own if row["level"] != "whole" and known(row.get("share")) is not None]
        head = ("Place", "Answers", "Share, %", "95 % interval", "Unweighted, %")
        body = [
            (
                clean(row["place_id"]),
                figure(row.get("n_answers")),
                percent(row["share"]),
                ends_of(row),
                percent(row.get("raw_share")),
            )
            for row in regions[:_PLACES]
        ]
        found.append(Panel(name, title, text, "", [], head if body else (), body))
    return found
