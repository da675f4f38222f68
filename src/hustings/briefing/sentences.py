"""The findings and captions of the pictures, as sentences that say no more than the numbers do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hustings.briefing.counted import digits, noun
from hustings.briefing.facts import Record
from hustings.briefing.look import clean, figure, known, listed, plural, sentence, with_interval
from hustings.briefing.reliability import Bin

_OUTCOMES = {"voted": "turnout", "gave": "giving", "support": "support"}
_ESTIMATORS = {"aipw": "cross-fitted and doubly robust", "ipw": "by inverse-probability weights"}
# Below this probability the shares of a draw are taken for a fault and not for chance.
_BROKEN_DRAW = 0.001


def outcome_word(outcome: Any) -> str:
    """What is measured, as a noun.

    >>> outcome_word("voted"), outcome_word("signed_up")
    ('turnout', 'signed up')
    """
    return _OUTCOMES.get(str(outcome), clean(outcome).replace("_", " "))


def model_word(model: Record) -> str:
    """What a model is called.

    >>> model_word({"model_id": "scores.turnout"}), model_word({"model_id": "effects.mailers"})
    ('turnout score', 'mailers effects')
    """
    kind, _, name = clean(model.get("model_id")).partition(".")
    words = name.replace("_", " ")
    return f"{words} score" if kind == "scores" else f"{words} {kind}".strip()


def option_word(option: Record) -> str:
    """What an option is called.

    >>> option_word({"option": "plan"})
    'The plan'
    """
    name = clean(option.get("option"))
    return {"plan": "The plan", "plan if all approved": "The plan if all approved"}.get(
        name, name[:1].upper() + name[1:]
    )


def _numbers(row: Record, *columns: str) -> tuple[float, ...] | None:
    found = tuple(known(row.get(column)) for column in columns)
    return None if None in found else tuple(x for x in found if x is not None)


def lift_finding(rows: list[Record], test: Any, outcome: Any) -> str:
    """What a test showed.

    Args:
        rows: Its lifts on one outcome, the largest first.
        test: Its name.
        outcome: What was measured.

    Returns:
        A sentence without its full stop.

    >>> lift_finding([{"arm": "Self", "estimate": 0.05, "low": 0.04, "high": 0.06}], "mailers", "voted")
    'Self raises turnout by 5.0 points'
    """
    what = outcome_word(outcome)
    read = [(clean(r.get("arm")), n) for r in rows if (n := _numbers(r, "estimate", "low", "high"))]
    if not read:
        return f"The test “{clean(test)}” has no lift on {what} that can be read yet"
    up = [arm for arm, (_, low, _) in read if low > 0]
    first, (estimate, low, _) = read[0]
    if low > 0 and all(low > high for _, (_, _, high) in read[1:]):
        most = " most:" if len(up) > 1 else ""
        return f"{first} raises {what}{most} by {figure(100 * estimate, 1)} points"
    if up:
        raises = "raise" if len(up) > 1 else "raises"
        return f"{listed(up)} {raises} {what}; which arm does most is not settled"
    last, (estimate, _, high) = read[-1]
    if high < 0:
        return f"{last} lowers {what} by {figure(-100 * estimate, 1)} points, and nothing raises it"
    return f"No effect on {what} was found in the test “{clean(test)}”"


def design_sentence(arms: list[Record]) -> str:
    """How a test was drawn, and whether the draw can be trusted.

    >>> design_sentence([])
    'How it was drawn is not known.'
    """
    if not arms:
        return "How it was drawn is not known."
    people, units = (sum(known(a.get(k)) or 0 for a in arms) for k in ("n_people", "n_units"))
    unit = clean(arms[0].get("unit")) or "unit"
    drawn = plural(people, "person", "people")
    if unit != "person":
        drawn += f" in {plural(units, unit)}"
    parts = [f"{drawn[:1].upper()}{drawn[1:]}, drawn at random"]
    ratio, balance = (_chance(arms, column) for column in ("p_sample_ratio", "p_balance"))
    if ratio is not None and ratio < _BROKEN_DRAW:
        fault = f"ATTENTION: the arms’ shares are not as planned (p {_p(ratio)})"
        return f"{parts[0]}. {fault}; do not rely on these lifts."
    if ratio is not None:
        parts.append(f"shares as planned (p {_p(ratio)})")
    if balance is not None:
        alike = "alike" if balance >= 0.05 else "NOT alike"
        parts.append(f"arms {alike} before treatment (p {_p(balance)})")
    effects = [x for a in arms if (x := known(a.get("detectable_effect"))) is not None]
    text = "; ".join(parts) + "."
    if effects:
        least = figure(100 * max(effects), 1)
        text += f" An effect of {least} points would have been found in four tests of five."
    return text


def _chance(arms: list[Record], column: str) -> float | None:
    return min((p for a in arms if (p := known(a.get(column))) is not None), default=None)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {figure(value, 2 if value >= 0.01 else 3)}"


def gap(bins: list[Bin]) -> float | None:
    """Mean distance of predicted and observed, weighted by people; None without people.

    >>> round(gap([Bin(0.2, 0.21, 0.2, 0.22, 10), Bin(0.5, 0.5, 0.4, 0.6, 10)]), 4)
    0.005
    """
    n = sum(b.n for b in bins)
    return sum(b.n * abs(b.observed - b.predicted) for b in bins) / n if n else None


def reliability_finding(model: Record, own: list[Bin], rule: list[Bin]) -> str:
    """How far to trust a score.

    >>> reliability_finding({"model_id": "scores.turnout"}, [Bin(0.2, 0.21, 0.2, 0.22, 10)], [])
    'The turnout score is off by 1.0 points on average'
    """
    name = model_word(model)
    if model.get("published") is False:
        return f"The {name} does not beat its rule of thumb, and is not used"
    distance, theirs = gap(own), gap(rule)
    if distance is None:
        return f"How far the {name} is off cannot be told"
    text = f"The {name} is off by {figure(100 * distance, 1)} points on average"
    # Said only where a reader would see it in the picture.
    if theirs is not None and theirs > 1.25 * distance and theirs - distance > 0.002:
        text += f"; its rule of thumb by {figure(100 * theirs, 1)}"
    return text


def reliability_caption(model: Record, own: list[Bin], rule: list[Bin]) -> str:
    """What the picture of a score rests on.

    >>> reliability_caption({"model_id": "scores.turnout"}, [Bin(0.2, 0.2, 0.1, 0.3, 9)], [])
    'Predicted and observed, out of sample, with 95 % intervals; 9 people in 1 bin.'
    """
    n = plural(sum(b.n for b in own), "person", "people")
    text = f"Predicted and observed, out of sample, with 95 % intervals; {n} in {plural(len(own), 'bin')}."
    if rule:
        named = clean(model.get("rule")).rstrip(".")
        text += f" Open circles: the rule of thumb{f' ({named})' if named else ''}."
    order = _numbers(model, "auc", "rule_auc")
    gain = _numbers(model, "gain", "gain_low", "gain_high")
    if order:
        text += f" AUC {figure(order[0], 3)}, the rule’s {figure(order[1], 3)}."
    if gain:
        better = "better than" if gain[1] > 0 else "not clearly better than" if gain[2] >= 0 else "WORSE than"
        text += f" Log-loss {better} the rule’s by {with_interval(figure(gain[0], 4), gain[1], gain[2], 4)}."
    return text


def option_finding(rows: list[Record], waiting: Mapping[str, bool]) -> str:
    """Whether the plan earns its place.

    Args:
        rows: The options of one plan, of one estimator.
        waiting: By option: whether it needs an approval that it does not have.

    Returns:
        A sentence without its full stop.

    >>> option_finding([{"option": "plan", "gain": 9.0, "low": -3.0, "high": 20.0}], {})
    'The plan cannot be told from sending nothing: send nothing'
    """
    plan = next((r for r in rows if r.get("option") == "plan"), None)
    if plan is None:
        return "There is no plan to compare"
    gain = _numbers(plan, "gain", "low", "high")
    if plan.get("reason"):
        return f"Send nothing: {clean(plan['reason']).rstrip('.')}"
    if known(plan.get("n_people")) == 0:
        return "No option is worth its cost: send nothing"
    tested = known(plan.get("tested"))
    if not gain or (gain[1] <= 0 and (tested is None or tested > 0.995)):
        why = "cannot be told from sending nothing" if gain else "has no gain that can be told"
        return f"The plan {why}: send nothing"
    rule = best_rule(rows, waiting)
    return _against(rule, plan) if rule else f"The plan adds {figure(gain[0], digits(plan))} {noun(plan)}"


def _against(rule: tuple[float, float, float, str], plan: Record) -> str:
    advantage, low, high, name = rule
    if low > 0:
        return (
            f"The plan adds {figure(advantage, digits(plan))} more {noun(plan)} than its best rule of thumb"
        )
    if high < 0:
        return f"“{name}” adds {figure(-advantage, digits(plan))} more {noun(plan)} than the plan"
    return f"The plan is not clearly better than “{name}”"


def best_rule(rows: list[Record], waiting: Mapping[str, bool]) -> tuple[float, float, float, str] | None:
    """The strongest rule of thumb that may be used and costs something.

    Args:
        rows: The options of one plan, of one estimator.
        waiting: By option: whether it needs an approval that it does not have.

    Returns:
        The plan's advantage over it with the ends of its interval, and its name; or None.

    >>> row = {"option": "a", "cost_cents": 9, "advantage": 5, "advantage_low": 1, "advantage_high": 9}
    >>> best_rule([row], {})
    (5.0, 1.0, 9.0, 'A')
    """
    rivals = [
        (n[0], n[1], n[2], option_word(r))
        for r in rows
        if r.get("option") not in ("plan", "plan if all approved")
        and not waiting.get(str(r.get("option")))
        and known(r.get("cost_cents"))
        and (n := _numbers(r, "advantage", "advantage_low", "advantage_high"))
    ]
    return min(rivals, default=None)


def option_caption(
    rows: list[Record], unit: str, estimators: list[str], rule: tuple[float, float, float, str] | None
) -> str:
    """How the options were valued, and what the plan adds in all.

    Args:
        rows: The options of one plan, of one estimator.
        unit: `per $1,000`.
        estimators: That of the picture, then those of the table.
        rule: From `best_rule`.

    Returns:
        Sentences.

    >>> option_caption([], "per $1,000", ["aipw"], None)[-36:]
    'to (cross-fitted and doubly robust).'
    """
    how = [_ESTIMATORS.get(e, e) for e in estimators]
    plan = next((r for r in rows if r.get("option") == "plan"), {})
    text = f"{sentence(noun(plan))} {unit}, with 95 % intervals, {_valued(plan, how[0])}."
    if known(plan.get("gain")) is not None:
        whole = digits(plan)
        gain = with_interval(
            f"{figure(plan['gain'], whole)} {noun(plan)}", plan.get("low"), plan.get("high"), whole
        )
        text += f" In all the plan adds {gain} in {plural(known(plan.get('n_households')) or 0, 'household')}"
        text += (
            f"; against “{rule[3]}” {with_interval(figure(rule[0], whole, sign=True), *rule[1:3], whole)}."
            if rule
            else "."
        )
    if how[1:]:
        text += f" A second estimate ({listed(how[1:])}) is in the table."
    return text


def _valued(plan: Record, how: str) -> str:
    """On what the values rest: own tests, or the literature, in which part."""
    tested = known(plan.get("tested"))
    if tested is None or tested > 0.995:
        return f"valued on people the plan was not fitted to ({how})"
    rest = "by what the literature says of their kind, with its error"
    if tested < 0.005:
        return f"valued {rest}: no own test stands behind these actions"
    return (
        f"{figure(100 * tested)} of 100 valued on people the plan was not fitted to ({how}), the rest {rest}"
    )
