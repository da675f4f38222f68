"""The card of every model, as a part of the page that opens when its name is followed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hustings.briefing import card_pictures as drawn
from hustings.briefing import card_words as words
from hustings.briefing import sentences
from hustings.briefing.facts import Facts, Record, card
from hustings.briefing.look import clean, day, figure, known, listed, plural, sentence
from hustings.briefing.pictures import Picture
from hustings.briefing.strips import Strip

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table of a card: its name, its head, its rows."""

    title: str
    head: tuple[str, ...]
    body: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Card:
    """One model's card.

    Attributes:
        anchor: Unique in the page.
        name: What the model is called.
        verdict: Whether it is used, in a word or two.
        shape: The sign of that word.
        figure: Its most telling number.
        title: The finding.
        lead: What the finding rests on.
        boxes: Label and text of what it is for, on whom, from when.
        tables: Its numbers.
        pictures: Its plots.
        strips: Its tables of intervals.
        notes: What else must be said.
    """

    anchor: str
    name: str
    verdict: str
    shape: str
    figure: str
    title: str
    lead: str
    boxes: list[tuple[str, str]]
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    strips: list[Strip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


_SINGLE = (
    "An effect of one person is a guess: on simulated trials of 100,000 people and more the 95 % intervals of single "
    "people hold 89 to 92 of 100 true effects. Act on sums over many people, whose intervals hold."
)


def cards(facts: Facts) -> list[Card]:
    """The cards, scores first.

    >>> cards(Facts())
    []
    """
    order = {"scores": 0, "effects": 1}
    ordered = sorted(facts.models, key=lambda m: order.get(clean(m.get("model_id")).partition(".")[0], 2))
    return [_card(model, number) for number, model in enumerate(ordered, 1)]


def _card(model: Record, number: int) -> Card:
    name = sentences.model_word(model)
    anchor = f"card-{number}-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    told = card(model)
    used = model.get("published") is not False
    if told.get("arms"):
        title = sentence(clean(_best(told).get("verdict", {}).get("sentence")))
        lead = _proof(_best(told), amounts=told.get("kind") == "amount")
    else:
        unit = "deviance" if told.get("kind") == "amount" else "log-loss"
        rule = words.feature_word(model.get("rule"))
        beats = f"beats {rule}" if rule else "is published"
        title = f"The {name} {beats if used else 'is not published'}"
        lead = words.verdict(model, unit)
    return Card(
        anchor,
        name,
        "in use" if used else "not published",
        "dot" if used else "ring",
        _telling(model),
        (title or f"The {name}").rstrip("."),
        lead,
        _boxes(model, told),
        [t for t in _tables(model, told) if t.body],
        _plots(model, anchor),
        _strips(model, told, anchor),
        _notes(model, told),
    )


def _best(told: Part) -> Part:
    arms = [arm for arm in told.get("arms") or () if isinstance(arm, Mapping)]
    return next((arm for arm in arms if arm.get("arm") == told.get("best")), arms[0] if arms else {})


def _proof(arm: Part, *, amounts: bool) -> str:
    """What the verdict on an arm rests on."""
    verdict = arm.get("verdict") or {}
    mean, error, p = (known(verdict.get(key)) for key in ("average", "average_error", "p_average"))
    if mean is None or error is None or p is None:
        return ""
    scale, digits, unit = (1.0, 2, "") if amounts else (100.0, 1, " points")
    middle, low, high = (figure(scale * (mean + at * error), digits, sign=True) for at in (0, -1.96, 1.96))
    chosen = known(verdict.get("p_gain"))
    choosing = "" if chosen is None else f", and of choosing by person {words.chance(chosen)}"
    return (
        f"{clean(arm.get('arm'))} on everyone: {middle}{unit} (95 % interval {low} to {high}). One-sided p of that: "
        f"{words.chance(p)}{choosing}; together at 5 %, so the smaller must be below 0.025."
    )


def _telling(model: Record) -> str:
    for column, word, digits in (("auc", "AUC", 3), ("qini", "Qini", 4)):
        if known(model.get(column)) is not None:
            return f"{word} {figure(model[column], digits)} ± {figure(model.get(f'{column}_error'), digits)}"
    if known(model.get("mean_error")) is not None:
        return f"off by {words.amount(model['mean_error'])} on average"
    return "–"


def _boxes(model: Record, told: Part) -> list[tuple[str, str]]:
    people, homes = known(model.get("n_people")), known(model.get("n_households"))
    size = plural(people, "person", "people") if people is not None else ""
    if homes is not None:
        size += f" in {plural(homes, 'household')}"
    trained = [
        f"{day_of(t.get('as_of'))} ({figure(t.get('n'))})" for t in told.get("trained") or () if len(told["trained"]) > 1
    ]  # fmt: skip
    found = [
        ("Question", sentence(clean(model.get("purpose")))),
        ("Population", sentence(clean(model.get("population")))),
        ("Learned from", size),
        ("People as known before", listed(trained) if trained else day(model.get("as_of"))),
        ("Scored as of", day_of(told.get("as_of"))),
        ("Looks ahead", plural(told["horizon_days"], "day") if told.get("horizon_days") else ""),
        ("Judged", clean(told.get("validation"))),
        ("Learner", sentence(clean(model.get("learner")))),
        ("Must beat", words.feature_word(model.get("rule"))),
    ]
    return [(label, text) for label, text in found if text]


def day_of(text: Any) -> str:
    """A day of a card, which holds it as text.

    >>> day_of("2026-07-27"), day_of(None)
    ('27 July 2026', '')
    """
    from datetime import date

    try:
        return day(date.fromisoformat(str(text)))
    except ValueError:
        return ""


def _tables(model: Record, told: Part) -> Iterator[Table]:
    yield _figures(model, told)
    rivals = [r for r in told.get("rivals") or () if known(r.get("gain")) is not None]
    digits = 1 if told.get("kind") == "amount" else 4
    yield Table(
        "What it must beat, in the same parts",
        ("Rival", "Its loss", "The score is better by", "95 % interval"),
        [
            (
                words.feature_word(r.get("name")),
                figure(r.get("loss"), digits),
                figure(r.get("gain"), digits, sign=True),
                f"{figure(r.get('gain_low'), digits)} to {figure(r.get('gain_high'), digits)}",
            )
            for r in rivals
        ],
    )
    losses = told.get("candidates") or {}
    yield Table(
        "Learners tried",
        ("Learner", "Loss out of sample"),
        [(clean(name), figure(loss, digits)) for name, loss in sorted(losses.items(), key=_loss)],
    )
    drift = told.get("drift") or {}
    yield Table(
        f"Moved since training: {words.drift_finding(drift)}" if drift else "",
        ("What", "Stability index"),
        [
            ("the score itself", figure(drift.get("score"), 4)),
            *(
                (words.feature_word(f.get("feature")), figure(f.get("index"), 4))
                for f in (drift.get("features") or ())[:5]
            ),
        ]
        if drift
        else [],
    )
    yield from _effects(told)


def _loss(pair: tuple[str, Any]) -> float:
    value = known(pair[1])
    return float("inf") if value is None else value


def _figures(model: Record, told: Part) -> Table:
    def pm(column: str, digits: int, scale: float = 1.0) -> str:
        value, error = known(model.get(column)), known(model.get(f"{column}_error"))
        if value is None:
            return "–"
        return figure(scale * value, digits) + (
            f" ± {figure(scale * error, digits)}" if error is not None else ""
        )

    money = told.get("kind") == "amount"
    rows = [
        ("Log-loss", pm("log_loss", 4), pm("rule_log_loss", 4)),
        ("AUC", pm("auc", 3), pm("rule_auc", 3)),
        ("Off by, on average, in points", pm("calibration_error", 1, 100.0), "–"),
        ("… of which by chance alone", _scaled(told.get("calibration_by_chance")), "–"),
        ("Off by, on average", pm("mean_error", 2, 0.01), pm("rule_mean_error", 2, 0.01)),
        ("Root mean square error", words.amount(told.get("root_mean_square_error")), "–"),
        (
            "Observed less predicted" if money else "Observed less predicted, in points",
            words.ends(told.get("level"), 2 if money else 1, 0.01 if money else 100.0),
            "–",
        ),
        ("Slope of observed on predicted", words.ends(told.get("slope"), 2), "–"),
    ]
    kept = [row for row in rows if row[1] not in ("–", "not known")]
    return Table("How good, out of sample (± standard error; intervals of 95 %)", ("", "The score", "The rule"), kept)  # fmt: skip


def _scaled(value: Any) -> str:
    return "–" if known(value) is None else figure(100 * float(value), 1)


def _effects(told: Part) -> Iterator[Table]:
    arms = [arm for arm in told.get("arms") or () if isinstance(arm, Mapping)]
    amounts = told.get("kind") == "amount"
    scale = 1 if amounts else 100
    yield Table(
        "Every arm: mean effect, and what ranking by it brings",
        ("Arm", "Amount" if amounts else "Points", "Qini × 10⁴", "The plain score’s", "Slope"),
        [
            (
                clean(arm.get("arm")),
                figure(
                    None if known(arm.get("mean_effect")) is None else scale * arm["mean_effect"],
                    2,
                    sign=True,
                ),
                _pair(arm, "qini", 1e4, 1),
                _pair(arm, "plain_score_qini", 1e4, 1),
                _pair(arm, "slope", 1.0, 2),
            )
            for arm in arms
        ],
    )
    yield Table(
        "The verdict on each arm",
        ("Arm", "Verdict"),
        [
            (clean(arm.get("arm")), clean((arm.get("verdict") or {}).get("sentence")))
            for arm in arms
            if arm.get("verdict")
        ],
    )  # fmt: skip
    yield _values(arms, told)
    best = _best(told)
    yield Table(
        f"The ladder of {clean(best.get('arm'))}: a rung is climbed when it proves better than the one below",
        ("Learner", "Qini × 10⁴", "p", "Chosen"),
        [
            (
                clean(step.get("learner")),
                _pair(step, "qini", 1e4, 1),
                "–" if known(step.get("p_value")) is None else figure(step["p_value"], 3),
                "chosen" if step.get("chosen") else "",
            )
            for step in told.get("ladder") or best.get("ladder") or ()
        ],
    )


def _values(arms: list[Part], told: Part) -> Table:
    """What 1,000 of the currency bring among the best-ranked, arm by arm."""
    # A gain for each cent: people won for 100,000 cents, or an amount, in its own unit, for 100.
    amounts = told.get("kind") == "amount"
    unit, scale, digits = ("Amount", 100.0, 2) if amounts else ("People won", 1e5, 1)
    rows = []
    for arm in arms:
        values = list(zip(arm.get("gains_at") or (), arm.get("gains_per_cost") or (), strict=False))
        for share, one in values:
            if known(one.get("value")) is None:
                continue
            value, low, high = (figure(scale * one[key], digits) for key in ("value", "low", "high"))
            rows.append((clean(arm.get("arm")), f"{figure(100 * share)} in 100", value, f"{low} to {high}"))
    per = "for each 1 spent" if amounts else "for each 1,000 spent"
    return Table(
        f"Value of the money: what is gained {per} on the best-ranked",
        ("Arm", "On", unit, "95 % interval"),
        rows,
    )


def _pair(part: Part, key: str, scale: float, digits: int) -> str:
    value, error = known(part.get(key)), known(part.get(f"{key}_error"))
    if value is None:
        return "–"
    return figure(scale * value, digits) + (
        f" ± {figure(scale * error, digits)}" if error is not None else ""
    )


def _plots(model: Record, anchor: str) -> list[Picture]:
    found = [
        drawn.reliability_picture(model, f"{anchor}-reliability"),
        drawn.gain_picture(model, f"{anchor}-gain"),
    ]
    return [picture for picture in found if picture is not None]


def _strips(model: Record, told: Part, anchor: str) -> list[Strip]:
    found = [
        drawn.amounts_picture(model, f"{anchor}-amounts"),
        drawn.importance_picture(model, f"{anchor}-features"),
        *drawn.group_pictures(model, f"{anchor}-groups"),
        *drawn.effect_pictures(_best(told), f"{anchor}-effect", amounts=told.get("kind") == "amount"),
    ]
    return [strip for strip in found if strip is not None]


def _notes(model: Record, told: Part) -> list[str]:
    notes = []
    if reason := clean(model.get("reason")):
        notes.append(f"Not published: {reason.rstrip('.')}.")
    if pooled := _pooling(told.get("pooling") or {}):
        notes.append(pooled)
    for what, n in (told.get("left_out") or {}).items():
        notes.append(f"Left out: {figure(n)} {clean(what)}.")
    wrong = known(told.get("false_clear"))
    if wrong is not None:
        notes.append(
            f"Of texts on none of the issues {figure(100 * wrong)} in 100 are called clear, as measured by leaving out "
            "one issue after the other."
        )
    left = known(told.get("left_by_election_day"))
    if left is not None and left < 1:
        error = known(told.get("left_error"))
        give = f", give or take {figure(100 * error)}" if error else ""
        notes.append(f"Of an effect {figure(100 * left)} in 100 are left by election day{give}.")
    if told.get("arms"):
        notes.append(_SINGLE)
    return notes


def _pooling(told: Part) -> str:
    """What places' intercepts did, or why there are none."""
    if why := clean(told.get("why_not")):
        return f"Places have no intercepts of their own: {why}."
    if known(told.get("sd")) is None:
        return ""
    kept = "Each place has an intercept of its own, small places little of it" if told.get("kept") else "Intercepts of places were tried and left out"  # fmt: skip
    places, spread = plural(told.get("n_places"), "place"), figure(told["sd"], 2)
    before, after = figure(told.get("before"), 4), figure(told.get("after"), 4)
    return f"{kept} ({places}, standard deviation {spread} in log-odds; log-loss {before} without, {after} with)."
