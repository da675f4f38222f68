"""The pictures of a card: reliability, gains, features, groups, effects. Each is drawn once, for any screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from hustings.briefing import card_words as words
from hustings.briefing import charts, sentences
from hustings.briefing.facts import Record, card
from hustings.briefing.look import clean, figure, known, plural, spread
from hustings.briefing.pictures import NARROW, Picture, read_bins
from hustings.briefing.reliability import Bin
from hustings.briefing.square import Point, Series, square_plot
from hustings.briefing.strips import Strip, drawn

Part = Mapping[str, Any]


def _once(drawing: str) -> dict[str, Markup]:
    return {"both": Markup(drawing)}


def reliability_picture(model: Record, name: str) -> Picture | None:
    """Predicted against observed, with the rule of thumb beside; None where the card does not tell it.

    >>> reliability_picture({}, "r") is None
    True
    """
    own, rule = (read_bins(card(model).get(k)) for k in ("reliability", "rule_reliability"))
    if not own:
        return None
    title = sentences.reliability_finding({**model, "published": True}, own, rule)
    told = "; ".join(
        f"predicted {figure(100 * b.predicted)}, observed {figure(100 * b.observed)}" for b in own
    )
    drawing = square_plot(
        [
            Series(sentences.model_word(model), _points(own), curve=False),
            Series("rule of thumb", _points(rule), curve=False),
        ],
        width=NARROW,
        diagonal="as predicted",
        across="Predicted, in 100 people",
        up="Observed, in 100 people",
        name=name,
        title=title,
        about=f"{title}. Of 100 people: {told}.",
    )
    body = [
        (
            who,
            figure(100 * b.predicted, 1),
            figure(100 * b.observed, 1),
            spread(100 * b.low, 100 * b.high, 1),
            figure(b.n),
        )
        for who, bins in (("score", own), ("rule of thumb", rule))
        for b in bins
    ]
    head = ("Prediction by", "Predicted", "Observed", "95 % interval", "People")
    caption = "Predicted and observed, out of sample, with 95 % intervals. On the dashed line both are equal."
    return Picture(name, title, caption, _once(drawing), head, body)


def amounts_picture(model: Record, name: str) -> Strip | None:
    """Expected and observed means of ten parts; None where the card does not tell them.

    >>> amounts_picture({}, "a") is None
    True
    """
    parts = [p for p in card(model).get("amounts") or () if known(p.get("observed")) is not None]
    if not parts:
        return None
    rows = [
        charts.Row(
            f"expected {words.amount(p['predicted'])}",
            p["observed"] / 100,
            p["low"] / 100,
            p["high"] / 100,
            words.amount(p["observed"]),
            spread(p["low"] / 100, p["high"] / 100, 2),
        )
        for p in reversed(parts)
    ]
    total = card(model).get("totals") or {}
    ratio = known(total.get("ratio"))
    title = "What came in, beside what was expected"
    if ratio is not None:
        title = f"In all came in {figure(100 * ratio)} of every 100 expected"
    ends = spread(100 * (known(total.get("low")) or 0), 100 * (known(total.get("high")) or 0))
    caption = "Observed means of ten equal parts of the people, by what was expected, out of sample" + (
        f". The total's 95 % interval: {ends} of every 100." if ratio is not None else "."
    )
    head = ("Part", "Observed", "95 % interval", "People")
    body = [(r.name, r.figure, r.spread, figure(p["n"])) for r, p in zip(rows, reversed(parts), strict=True)]
    return _intervals(rows, "Amount", name, title, caption, (head, body))


def gain_picture(model: Record, name: str) -> Picture | None:
    """What the best-ranked people hold; None where the card does not tell it.

    >>> gain_picture({}, "g") is None
    True
    """
    own, rule = (_depths(card(model).get(k)) for k in ("gain", "rule_gain"))
    if not own:
        return None
    what = "the money" if card(model).get("kind") == "amount" else "who did it"
    title = words.gain_finding(own, what)
    about = f"{title}. " + "; ".join(
        f"{figure(100 * d.x)} of 100 hold {figure(100 * d.y)} ({spread(100 * d.low, 100 * d.high)})"
        for d in own
    )
    drawing = square_plot(
        [
            Series(sentences.model_word(model), _whole(own), curve=True),
            Series("rule of thumb", _whole(rule) if rule else [], curve=True),
        ],
        width=NARROW,
        diagonal="at random",
        across="Of 100 people, the best ranked",
        up="They hold, of 100 in all",
        name=name,
        title=title,
        about=f"{about}.",
    )
    of_rule = {d.x: d.y for d in rule}
    body = [
        (
            figure(100 * d.x),
            figure(100 * d.y, 1),
            spread(100 * d.low, 100 * d.high, 1),
            figure(100 * of_rule[d.x], 1) if d.x in of_rule else "–",
            figure(d.y / d.x, 2),
        )
        for d in own
    ]
    head = ("Best-ranked, of 100", "They hold, of 100", "95 % interval", "By the rule", "Lift over random")
    caption = "People ranked by the score, out of sample; the band is the 95 % interval."
    return Picture(name, title, caption, _once(drawing), head, body)


def _points(bins: list[Bin]) -> list[Point]:
    return [Point(b.predicted, b.observed, b.low, b.high) for b in bins]


def _depths(entries: Any) -> list[Point]:
    found = []
    for entry in entries or ():
        numbers = [known(entry.get(k)) for k in ("depth", "gain", "low", "high")]
        if None not in numbers:
            found.append(Point(*(n for n in numbers if n is not None)))
    return found


def _whole(depths: list[Point]) -> list[Point]:
    """From nobody to everybody."""
    return [Point(0, 0, 0, 0), *depths, Point(1, 1, 1, 1)]


def importance_picture(model: Record, name: str) -> Strip | None:
    """The features that matter most; None where the card does not tell them.

    >>> importance_picture({}, "i") is None
    True
    """
    parts = [p for p in card(model).get("importance") or () if known(p.get("size")) is not None]
    if not parts:
        return None
    unit = "log of the amount" if card(model).get("kind") == "amount" else "log-odds"
    rows = [
        charts.Row(
            words.feature_word(p.get("feature")),
            p["size"],
            p["size"] - 1.96 * (known(p.get("size_error")) or 0),
            p["size"] + 1.96 * (known(p.get("size_error")) or 0),
            figure(p["size"], 2),
            "",
            words.direction_word(p.get("direction")),
        )
        for p in parts
    ]
    title = words.importance_finding(parts)
    caption = (
        f"Mean size of what each feature adds to a person's score ({unit}): exact Shapley values, "
        f"on {plural(known(parts[0].get('n')) or 0, 'person', 'people')}. It tells what the score uses, not what causes what."
    )
    head = ("Feature", "Mean size", "More of it", "Adds at its least", "Adds at its most")
    body = [
        (
            r.name,
            r.figure,
            r.note,
            *(figure(p.get(k), 2, sign=True) if p.get(k) is not None else "–" for k in ("low", "high")),
        )
        for r, p in zip(rows, parts, strict=True)
    ]
    return _intervals(rows, "Mean size", name, title, caption, (head, body))


def group_pictures(model: Record, name: str) -> list[Strip]:
    """Observed less predicted in the groups of each column.

    >>> group_pictures({}, "g")
    []
    """
    parts = list(card(model).get("groups") or ())
    columns = dict.fromkeys(clean(p.get("column")) for p in parts)
    return [
        _group_picture(model, column, [p for p in parts if clean(p.get("column")) == column], f"{name}-{i}")
        for i, column in enumerate(columns)
    ]


def _group_picture(model: Record, column: str, parts: list[Part], name: str) -> Strip:
    money = card(model).get("kind") == "amount"
    scale, digits, unit = (0.01, 2, "Amount") if money else (100.0, 1, "Points")
    rows = []
    for p in parts:
        people = plural(known(p.get("n")) or 0, "person", "people")
        label = clean(p.get("group"))
        if known(p.get("gap")) is None:
            rows.append(charts.Row(label, None, None, None, "", "", f"{people}: too few to judge"))
            continue
        gap, low, high = (scale * p[k] for k in ("gap", "gap_low", "gap_high"))
        rows.append(
            charts.Row(
                label, gap, low, high, figure(gap, digits, sign=True), spread(low, high, digits), people
            )
        )
    title = words.group_finding(column, parts)
    caption = "Observed less predicted, with 95 % intervals: right of nought the score is too low. Of twenty groups one lies off by chance."
    head = ("Group", "People", "Observed", "Predicted", "Gap", "95 % interval", "Loss", "AUC")
    body = [
        (
            row.name,
            figure(p.get("n")),
            *(
                "–" if known(p.get(k)) is None else figure(scale * p[k], digits)
                for k in ("observed", "predicted")
            ),
            row.figure or "–",
            row.spread or "–",
            "–" if known(p.get("loss")) is None else f"{figure(p['loss'], 3)} ± {figure(p['loss_error'], 3)}",
            "–" if known(p.get("auc")) is None else figure(p["auc"], 3),
        )
        for row, p in zip(rows, parts, strict=True)
    ]
    return _intervals(rows, unit, name, title, caption, (head, body))


def _intervals(
    rows: list[charts.Row],
    unit: str,
    name: str,
    title: str,
    caption: str,
    table: tuple[tuple[str, ...], Sequence[tuple[str, ...]]],
) -> Strip:
    return Strip(name, title, caption, unit, drawn(rows), table[0], table[1])


def effect_pictures(arm: Part, name: str, *, amounts: bool = False) -> list[Strip]:
    """What an arm did for those of whom more was expected, and what its ranking gains.

    Args:
        arm: Its part of the card.
        name: Of the pictures.
        amounts: Whether the outcome is an amount, and not a share.

    >>> effect_pictures({}, "e")
    []
    """
    seen = [p for p in arm.get("calibration") or () if known(p.get("value")) is not None]
    gains = list(zip(arm.get("gains_at") or (), arm.get("gains_beyond_chance") or (), strict=False))
    label = clean(arm.get("arm"))
    unit, scale, digits = ("Amount", 1.0, 2) if amounts else ("Points", 100.0, 1)
    found: list[Strip] = []
    if len(seen) > 1 and len({p["predicted"] for p in seen}) == 1:
        # The same is expected of everyone: there are no parts to compare, and nobody to choose.
        return found
    if seen:
        rows = [
            _effect_row(f"expected {figure(scale * p['predicted'], digits, sign=True)}", p, scale, digits)
            for p in seen
        ]
        title = f"{label}: what was observed, beside what was expected"
        caption = f"{unit}, by parts of the people from the least to the most expected, cross-fitted and doubly robust; 95 % intervals."
        found.append(_effects(rows, f"{name}-seen", title, caption, "Part", unit))
    told = [(share, p) for share, p in gains if known(p.get("value")) is not None]
    if told:
        rows = [_effect_row(f"the best {figure(100 * share)} in 100", p, scale, 2) for share, p in told]
        # The one test that was declared decides, not the best of several cut-offs.
        best = (arm.get("verdict") or {}).get("word") == "target"
        title = f"{label}: choosing by person gains {'more than' if best else 'no more than'} a random choice{'' if best else ' that is proven'}"
        caption = f"{unit} per person of the population, beyond choosing as many at random; 95 % intervals."
        found.append(_effects(rows, f"{name}-gains", title, caption, "Who is chosen", unit))
    return found


def _effect_row(label: str, part: Part, scale: float, digits: int = 1) -> charts.Row:
    value, low, high = (scale * float(part[k]) for k in ("value", "low", "high"))
    return charts.Row(label, value, low, high, figure(value, digits, sign=True), spread(low, high, digits))


def _effects(rows: list[charts.Row], name: str, title: str, caption: str, first: str, unit: str) -> Strip:
    body = [(r.name, r.figure, r.spread) for r in rows]
    return _intervals(rows, unit, name, title, caption, ((first, unit, "95 % interval"), body))
