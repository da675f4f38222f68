"""The briefing's three pictures: each with its finding, its caption, its words and its table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from hustings.briefing import charts, counted, sentences
from hustings.briefing.facts import Facts, Record, card, pending
from hustings.briefing.look import (
    UNKNOWN,
    clean,
    figure,
    known,
    money,
    plural,
    points,
    sentence,
    spread,
    text_width,
    with_interval,
)
from hustings.briefing.reliability import Bin, reliability_chart

WIDE = {"lifts": 580, "options": 580, "reliability": 420}
NARROW = 350
ESTIMATORS = ("aipw", "ipw")


@dataclass(frozen=True)
class Picture:
    """One chart as it stands in the page.

    Attributes:
        name: Unique in the page.
        title: The finding, in a sentence.
        caption: What is drawn, on how many, and how sure it is.
        drawings: Inline SVG by class: `wide` for a screen, `narrow` for a telephone and for print.
        head: Columns of the table.
        body: Its rows, as texts.
    """

    name: str
    title: str
    caption: str
    drawings: dict[str, Markup] = field(default_factory=dict)
    head: tuple[str, ...] = ()
    body: Sequence[tuple[str, ...]] = ()


def _draw(
    kind: str, name: str, title: str, about: str, rows: list[charts.Row], unit: str, zero: str
) -> dict[str, Markup]:
    return {
        size: Markup(
            charts.interval_chart(
                rows, width=width, unit=unit, zero=zero, name=f"{name}-{size}", title=title, about=about
            )
        )
        for size, width in (("wide", WIDE[kind]), ("narrow", NARROW))
    }


def by_estimate(rows: Iterable[Record], column: str) -> list[Record]:
    """Rows from the largest to the smallest, those without a number last.

    >>> by_estimate([{"x": None}, {"x": 1}, {"x": 2}], "x")
    [{'x': 2}, {'x': 1}, {'x': None}]
    """
    return sorted(rows, key=lambda row: -(x if (x := known(row.get(column))) is not None else float("-inf")))


def lift_pictures(facts: Facts) -> list[Picture]:
    """One picture for each outcome of each test.

    >>> lift_pictures(Facts())
    []
    """
    tests = dict.fromkeys((row.get("experiment"), row.get("outcome")) for row in facts.lifts)
    return [_lift_picture(facts, test, outcome, f"lifts-{i}") for i, (test, outcome) in enumerate(tests)]


def _lift_picture(facts: Facts, test: Any, outcome: Any, name: str) -> Picture:
    rows = by_estimate(
        (r for r in facts.lifts if r.get("experiment") == test and r.get("outcome") == outcome), "estimate"
    )
    arms = [a for a in facts.experiments if a.get("experiment") == test]
    control = next((clean(a.get("arm")) for a in arms if a.get("is_control")), "control")
    title = sentence(sentences.lift_finding(rows, test, outcome))
    caption = (
        f"Points of {sentences.outcome_word(outcome)} added, against {control}, by intention to treat, "
        f"with 95 % intervals. {sentences.design_sentence(arms)}"
    )
    zero = f"0 = {control}" if text_width(control, 13) < 130 else "0 = control"
    about = f"{title}. " + "; ".join(f"{clean(r.get('arm'))} {_lift_words(r)}" for r in rows) + "."
    # The arms that the finding names are the ones it is about.
    drawn = [_lift_row(r, strong=_stands_in(clean(r.get("arm")).casefold(), title.casefold())) for r in rows]
    head = ("Arm", "Points", "95 % interval", "Standard error", "People in arm", "In control")
    return Picture(
        name,
        title,
        caption,
        _draw("lifts", name, title, about, drawn, "Points", zero),
        head,
        [_lift_cells(r) for r in rows],
    )


def _percent(share: Any) -> float | None:
    number = known(share)
    return None if number is None else 100 * number


def _lift_words(row: Record) -> str:
    if known(row.get("estimate")) is None:
        return f"no estimate: {clean(row.get('reason')) or 'no reason given'}"
    return points(row.get("estimate"), row.get("low"), row.get("high"))


def _lift_row(row: Record, *, strong: bool) -> charts.Row:
    value, low, high = (_percent(row.get(k)) for k in ("estimate", "low", "high"))
    people = known(row.get("n_arm"))
    note = "" if people is None else plural(people, "person", "people")
    if value is None:
        return charts.Row(clean(row.get("arm")), None, None, None, "", "", _lift_words(row).capitalize())
    ends = spread(low, high, 1) or UNKNOWN
    return charts.Row(
        clean(row.get("arm")), value, low, high, figure(value, 1, sign=True), ends, note, strong
    )


def _lift_cells(row: Record) -> tuple[str, ...]:
    value, low, high, error = (_percent(row.get(k)) for k in ("estimate", "low", "high", "std_error"))
    counts = (figure(row.get("n_arm")), figure(row.get("n_control")))
    first = figure(value, 2, sign=True) if value is not None else _lift_words(row)
    return (
        clean(row.get("arm")),
        first,
        spread(low, high, 2) or "–",
        figure(error, 2) if error is not None else "–",
        *counts,
    )


def read_bins(entries: Any) -> list[Bin]:
    """The bins of a card's curve that are whole.

    >>> read_bins([{"predicted": 0.2, "observed": 0.3, "low": 0.1, "high": 0.4, "n": 9}])[0].n
    9
    """
    bins = []
    for entry in entries or ():
        numbers = {k: known(entry.get(k)) for k in ("predicted", "observed", "low", "high", "n")}
        predicted, observed = numbers["predicted"], numbers["observed"]
        if predicted is None or observed is None:
            continue
        low, high = (observed if numbers[k] is None else numbers[k] for k in ("low", "high"))
        bins.append(Bin(predicted, observed, low or 0.0, high or 0.0, int(numbers["n"] or 0)))
    return bins


def reliability_picture(facts: Facts) -> Picture | None:
    """Predicted against observed of the first score whose card tells it.

    >>> reliability_picture(Facts()) is None
    True
    """
    ordered = sorted(facts.models, key=lambda m: not str(m.get("model_id")).startswith("scores."))
    model = next((m for m in ordered if read_bins(card(m).get("reliability"))), None)
    if model is None:
        return None
    own, rule = (read_bins(card(model).get(k)) for k in ("reliability", "rule_reliability"))
    label = sentences.model_word(model)
    title = sentences.reliability_finding(model, own, rule)
    told = "; ".join(
        f"predicted {figure(100 * b.predicted)}, observed {figure(100 * b.observed)}" for b in own
    )
    drawings = {
        size: Markup(
            reliability_chart(
                own,
                rule,
                width=width,
                labels=(label, "rule of thumb"),
                name=f"reliability-{size}",
                title=title,
                about=f"{title}. Of 100 people: {told}.",
            )
        )
        for size, width in (("wide", WIDE["reliability"]), ("narrow", NARROW))
    }
    body: list[tuple[str, ...]] = [
        (
            who,
            figure(100 * b.predicted, 1),
            figure(100 * b.observed, 1),
            spread(100 * b.low, 100 * b.high, 1),
            figure(b.n),
        )
        for who, bins in ((label, own), ("rule of thumb", rule))
        for b in bins
    ]
    head = ("Prediction by", "Predicted", "Observed", "95 % interval", "People")
    return Picture(
        "reliability", title, sentences.reliability_caption(model, own, rule), drawings, head, body
    )


def option_pictures(facts: Facts) -> list[Picture]:
    """One picture for each plan that has options.

    >>> option_pictures(Facts())
    []
    """
    plans = dict.fromkeys(row.get("plan_id") for row in facts.options)
    return [_option_picture(facts, plan, f"options-{i}") for i, plan in enumerate(plans)]


def _option_picture(facts: Facts, plan: Any, name: str) -> Picture:
    rows = [r for r in facts.options if r.get("plan_id") == plan]
    found = [r.get("estimator") for r in rows]
    estimator = next((e for e in ESTIMATORS if e in found), found[0])
    main = by_estimate((r for r in rows if r.get("estimator") == estimator), "per_1000")
    other = {r.get("option"): r for r in rows if r.get("estimator") != estimator}
    waiting = {str(r.get("option")): needs_approval(r, facts) for r in main}
    title = sentence(sentences.option_finding(main, waiting))
    unit = f"per {money(100_000, facts.currency)}"
    largest = max((abs(x) for r in main if (x := known(r.get("per_1000"))) is not None), default=0.0)
    digits = 0 if largest >= 10 else 1 if largest >= 1 else 2
    drawn = [_option_row(r, digits, waiting=waiting[str(r.get("option"))]) for r in main]
    counts = sentence(counted.noun(main[0])) if main else "Gain"
    about = f"{title}. {counts} {unit}: " + "; ".join(
        f"{row.name} {with_interval(row.figure, r.get('per_1000_low'), r.get('per_1000_high'), digits)}"
        f"{', needs approval' if waiting[str(r.get('option'))] else ''}"
        if row.value is not None
        else f"{row.name} {row.note}"
        for row, r in zip(drawn, main, strict=True)
    )
    drawings = _draw("options", name, title, f"{about}.", drawn, unit, "0 = send nothing")
    others = sorted({clean(r.get("estimator")) for r in other.values()})
    rule = sentences.best_rule(main, waiting)
    caption = sentences.option_caption(main, unit, [clean(estimator), *others], rule)
    second = next(iter(others), "")
    head = (
        "Option",
        "Households",
        "Cost",
        counts,
        unit.capitalize(),
        *([f"… by {second}"] if second else []),
    )
    head = (*head, "Plan’s advantage")
    return Picture(
        name, title, caption, drawings, head, [_option_cells(r, other, facts, digits, second) for r in main]
    )


def needs_approval(option: Record, facts: Facts) -> bool:
    """Whether an option uses an action that nobody has approved.

    The row's own `needs_approval` decides where it is there; else `plan if all approved` does while any
    action waits, and so does an option in whose name or sentence the arm of such an action stands.

    >>> waiting = Facts(actions=[{"action": "self", "arm": "Self", "needs_approval": True}])
    >>> needs_approval({"option": "Self to everyone", "about": ""}, waiting)
    True
    """
    if option.get("needs_approval") is not None:
        return bool(option["needs_approval"])
    arms = [str(a.get("arm") or a.get("action") or "") for a in pending(facts)]
    if option.get("option") == "plan":
        return False
    if option.get("option") == "plan if all approved":
        return bool(arms)
    text = f"{option.get('option')} {option.get('about')}"
    return any(_stands_in(arm, text) for arm in arms)


def _stands_in(name: str, text: str) -> bool:
    """Whether a name stands in a text as words of its own."""
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _option_row(row: Record, digits: int, *, waiting: bool) -> charts.Row:
    value, low, high = (known(row.get(k)) for k in ("per_1000", "per_1000_low", "per_1000_high"))
    name = sentences.option_word(row)
    if value is None:
        nothing = "costs nothing, adds nothing" if not known(row.get("cost_cents")) else "no estimate"
        return charts.Row(name, None, None, None, "", "", (clean(row.get("reason")) or nothing).capitalize())
    ends = spread(low, high, digits) or UNKNOWN
    note = "needs approval" if waiting else ""
    return charts.Row(name, value, low, high, figure(value, digits), ends, note, row.get("option") == "plan")


def _option_cells(
    row: Record, other: dict[Any, Record], facts: Facts, digits: int, second: str
) -> tuple[str, ...]:
    def cell(source: Record, column: str, places: int) -> str:
        value = known(source.get(column))
        ends = spread(source.get(f"{column}_low"), source.get(f"{column}_high"), places)
        return (
            "–" if value is None else f"{figure(value, places)} ({ends})" if ends else figure(value, places)
        )

    whole = counted.digits(row)
    ballots = {"b": row.get("gain"), "b_low": row.get("low"), "b_high": row.get("high")}
    name = sentences.option_word(row) + (" (needs approval)" if needs_approval(row, facts) else "")
    checks = [cell(other.get(row.get("option"), {}), "per_1000", digits)] if second else []
    return (
        name,
        figure(row.get("n_households")),
        money(row.get("cost_cents"), facts.currency),
        cell(ballots, "b", whole),
        cell(row, "per_1000", digits),
        *checks,
        "–" if row.get("option") == "plan" else cell(row, "advantage", whole),
    )
