"""The briefing's sections in words: facts in, what the template prints out."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from hustings.briefing import sentences
from hustings.briefing.counted import digits, noun
from hustings.briefing.facts import Facts, Record, Records, pending
from hustings.briefing.look import (
    UNKNOWN,
    clean,
    day,
    figure,
    known,
    listed,
    moment,
    money,
    plural,
    sentence,
    spread,
    with_interval,
)

View = dict[str, Any]
# A damaged file may have hundreds; the rest are in the table `rejects`.
_REASONS = 3
_EACH = {"ballots": "a ballot", "net votes": "a net vote", "points of winning": "a point"}
_SHAPES = {"ahead": "up", "on plan": "dot", "behind": "down", "not started": "ring"}


def dateline(facts: Facts) -> list[str]:
    """Who, where, when, and how long to go.

    >>> dateline(Facts(name="Primary", as_of=date(2006, 7, 31), election_day=date(2006, 8, 8)))
    ['Daily briefing', 'Primary', 'Monday 31 July 2006', '8 days to election day']
    """
    name, place = clean(facts.name), clean(facts.place)
    parts = ["Daily briefing", name, "" if place in name else place]
    if facts.as_of:
        parts.append(day(facts.as_of, weekday=True))
    if facts.as_of and facts.election_day:
        left = (facts.election_day - facts.as_of).days
        parts.append(
            f"{plural(left, 'day')} to election day"
            if left > 0
            else "election day is today"
            if left == 0
            else f"election day was {plural(-left, 'day')} ago"
        )
    return [part for part in parts if part]


def findings(facts: Facts) -> list[View]:
    """The day's findings, the most important first.

    >>> findings(Facts(findings=[{"rank": 1, "finding": "Doors are behind.", "detail": None}]))
    [{'finding': 'Doors are behind.', 'detail': '', 'action': ''}]
    """
    ranked = sorted(facts.findings, key=lambda row: known(row.get("rank")) or float("inf"))
    return [{key: clean(row.get(key)) for key in ("finding", "detail", "action")} for row in ranked]


def decisions(facts: Facts) -> list[View]:
    """What is to be decided: of each plan its latest decision.

    >>> decisions(Facts(decisions=[{"question": "Mail?", "expected": None}]))[0]["recommendation"]
    'Send nothing.'
    """
    latest: dict[Any, Record] = {}
    for row in sorted(facts.decisions, key=lambda r: r.get("as_of") or date.min):
        if row.get("plan_id") != "budget":  # It has a section of its own.
            latest[row.get("plan_id")] = row
    return [_decision(row, facts) for row in latest.values()]


def _decision(row: Record, facts: Facts) -> View:
    expected, low = known(row.get("expected")), known(row.get("low"))
    nothing = expected is None or (low is not None and low <= 0 and not _by_literature(row))
    boxes = [_gain_box(row), _cost_box(row, facts)] if expected is not None else []
    if row.get("rule"):
        ballots, rule = known(row.get("rule_expected")), clean(row["rule"])
        told = f"{figure(ballots, digits(row), sign=True)} {noun(row)}"
        value, note = (rule, "") if ballots is None else (told, rule)
        boxes.append({"label": "The rule it replaces", "value": value, "note": note, "shape": ""})
    boxes.append(_approval_box(row, facts))
    advice = clean(row.get("recommendation"))
    # The stage that decides may have said it already.
    said = advice.casefold().startswith("send nothing")
    notes = []
    if not nothing and (effect := known(row.get("detectable_effect"))) is not None:
        notes.append(f"The control group can show an effect of {figure(100 * effect, 1)} points per person.")
    if not nothing and (cost := known(row.get("holdout_cost"))) is not None and row.get("n_held_out"):
        notes.append(
            f"Holding {plural(row['n_held_out'], 'household')} back costs {figure(cost, digits(row))} {noun(row)}."
        )
    if not nothing and row.get("available_on"):
        notes.append(f"The outcome can be known from {day(row['available_on'])}.")
    if row.get("decision_id"):
        notes.append(f"To accept or refuse: hustings decide {clean(row['decision_id'])[:8]}.")
    return {
        "question": clean(row.get("question")) or "What is to be done?",
        "recommendation": f"Send nothing. {advice}".strip() if nothing and not said else advice,
        "boxes": boxes,
        "notes": notes,
    }


def _by_literature(row: Record) -> bool:
    """Whether the literature stands behind a part of the plan: its error is no finding of the campaign's own."""
    try:
        options = json.loads(row.get("options") or "[]")
    except (TypeError, ValueError):
        return False
    shares = [known(option.get("tested")) for option in options if option.get("option") == "plan"]
    return any(share is not None and share < 0.995 for share in shares)


def _gain_box(row: Record) -> View:
    ends = spread(row.get("low"), row.get("high"), digits(row))
    note = f"95 % interval {ends}" if ends else "interval not known"
    value = f"{figure(row.get('expected'), digits(row), sign=True)} {noun(row)}"
    return {"label": "Expected gain", "value": value, "note": note, "shape": ""}


def _cost_box(row: Record, facts: Facts) -> View:
    expected, cost = known(row.get("expected")), known(row.get("cost_cents"))
    each = (
        f"{money(cost / expected, facts.currency)} {_EACH[noun(row)]}"
        if cost and expected and expected > 0
        else ""
    )
    return {"label": "Cost", "value": money(cost, facts.currency), "note": each, "shape": ""}


def _approval_box(row: Record, facts: Facts) -> View:
    waiting = pending(facts)
    asked = [a for a in facts.actions if a.get("needs_approval")]
    if waiting:
        value, shape = f"{len(waiting)} waiting", "ring"
        names = listed([_arm(a) for a in waiting])
        note = f"{sentence(names)}: left out until approved. {_if_approved(row, facts)}".strip()
    elif asked:
        who = listed(sorted({clean(a.get("approved_by")) for a in asked}))
        value, shape, note = "Approved", "up", f"{listed([_arm(a) for a in asked])}, by {who}"
    else:
        value, shape, note = "None needed", "dot", "No action in use needs approval" if facts.actions else ""
    return {"label": "Approval", "value": value, "note": note, "shape": shape}


def _arm(action: Record) -> str:
    return clean(action.get("arm") or action.get("action"))


def _if_approved(row: Record, facts: Facts) -> str:
    """What approval would bring, when both plans are valued by one estimator."""
    options = {
        (o.get("estimator"), o.get("option")): known(o.get("gain"))
        for o in facts.options
        if o.get("plan_id") == row.get("plan_id")
    }
    for estimator in ("aipw", "ipw"):
        ballots = options.get((estimator, "plan if all approved"))
        if ballots is not None:
            return f"If all were: {figure(ballots, digits(row), sign=True)} {noun(row)}."
    return ""


def concerns(facts: Facts) -> list[str]:
    """Why the actions that wait need someone's name.

    >>> concerns(Facts(actions=[{"arm": "Self", "needs_approval": True, "concern": "Shows voting records."}]))
    ['Self: Shows voting records.']
    """
    return [f"{sentence(_arm(a))}: {clean(a['concern'])}" for a in pending(facts) if a.get("concern")]


def goals(facts: Facts) -> list[View]:
    """Goals against plan, those behind first.

    >>> row = {"goal": "m", "about": "Mailers", "target": 10, "actual": 4, "expected": 5, "status": "behind"}
    >>> goals(Facts(goals=[row]))[0]["status"]
    'behind'
    """
    order = list(_SHAPES)
    rows = sorted(
        facts.goals, key=lambda row: -order.index(s) if (s := row.get("status")) in order[:3] else 1
    )
    return [_goal(row, facts.as_of) for row in rows]


def _goal(row: Record, as_of: date | None) -> View:
    actual, expected = known(row.get("actual")), known(row.get("expected"))
    word = clean(row.get("status")) or UNKNOWN
    off = "" if actual is None or not expected else f"{figure(100 * (actual / expected - 1), 1, sign=True)} %"
    due = row.get("due_on")
    when = day(due).removesuffix(f" {as_of.year}") if as_of else day(due)
    target = f"{figure(row.get('target'))} by {when}" if due else ""
    return {
        "about": clean(row.get("about") or row.get("goal")),
        "target": target,
        "actual": figure(actual),
        "expected": figure(expected),
        "status": word,
        "off": off if word != "not started" else "",
        "shape": _SHAPES.get(word, "ring"),
        "tone": word if word in ("ahead", "behind") else "plain",
    }


def sources(facts: Facts) -> list[View]:
    """What each source brought, whether its counts add up, why rows were set aside, and how old it is.

    >>> sources(Facts(sources=[{"source": "voters", "n_read": 9, "n_kept": 7, "n_rejected": 1}]))[0]["fault"]
    '7 kept + 1 rejected is not 9 read'
    """
    return [_source(row) for row in sorted(facts.sources, key=lambda r: -(known(r.get("n_rejected")) or 0))]


def _source(row: Record) -> View:
    read, kept, rejected = (known(row.get(k)) for k in ("n_read", "n_kept", "n_rejected"))
    fault = ""
    if read is None or kept is None or rejected is None:
        fault = "Its counts are not known"
    elif kept + rejected != read:
        fault = f"{figure(kept)} kept + {figure(rejected)} rejected is not {figure(read)} read"
    age = known(row.get("age_days"))
    share = f" ({_share(rejected / read)} %)" if rejected and read else ""
    return {
        "source": clean(row.get("source")),
        "read": figure(read),
        "kept": figure(kept),
        "rejected": f"{figure(rejected)}{share}",
        "age": UNKNOWN if age is None else plural(int(age), "day"),
        "fault": fault,
        "reasons": _reasons(row.get("reasons") or ()),
    }


def _share(share: float) -> str:
    return figure(100 * share, 1) if share >= 0.0005 else "< 0.1"


def _reasons(rows: Records) -> list[str]:
    """The most frequent reasons; how many more there are."""
    told = [f"{clean(r.get('reason'))}: {figure(r.get('n'))}" for r in rows[:_REASONS]]
    return [*told, plural(len(rows) - _REASONS, "more reason")] if len(rows) > _REASONS else told


def sources_finding(facts: Facts) -> str:
    """How whole the data are, in a sentence without its full stop.

    >>> sources_finding(Facts(sources=[{"source": "voters", "n_read": 9, "n_kept": 8, "n_rejected": 1}]))
    '1 of 9 rows could not be read'
    """
    faults = [view["source"] for view in sources(facts) if view["fault"]]
    if not facts.sources:
        return "No data have been read"
    if faults:
        return f"The counts of {listed(faults)} do not add up"
    read, lost = (int(sum(known(row.get(k)) or 0 for row in facts.sources)) for k in ("n_read", "n_rejected"))
    if lost:
        return f"{figure(lost)} of {plural(read, 'row')} could not be read"
    return f"All {plural(read, 'row')} read were kept"


def basis(facts: Facts) -> list[tuple[str, str]]:
    """The foot of the page: data, models, the run.

    >>> basis(Facts())
    [('Data', 'No data have been loaded.'), ('Models', 'None has been made.')]
    """
    parts = [
        ("Data", _data(facts)),
        ("Models", " ".join(_model(m) for m in facts.models) or "None has been made."),
    ]
    if facts.run_id:
        when = f", published {moment(facts.published_at)}" if facts.published_at else ", not published"
        parts.append(("Run", f"{clean(facts.run_id)}{when}."))
    return parts


def _data(facts: Facts) -> str:
    if not facts.sources:
        return "No data have been loaded."
    latest = [r["arrived_at"] for r in facts.sources if isinstance(r.get("arrived_at"), date)]
    through = max((t.date() if isinstance(t, datetime) else t for t in latest), default=None)
    text = (
        f"Through {day(through)}, when the latest file arrived."
        if through
        else "When it arrived is not known."
    )
    return (
        f"{text} People are described as they were known before {day(facts.as_of)}." if facts.as_of else text
    )


def _model(model: Record) -> str:
    name = sentences.model_word(model)
    parts = [f"as of {day(model.get('as_of'))}"]
    if known(model.get("n_people")) is not None:
        parts.append(f"trained on {plural(known(model['n_people']), 'person', 'people')}")
    for column, word, places in (("auc", "AUC", 3), ("qini", "Qini", 4)):
        value, error = known(model.get(column)), known(model.get(f"{column}_error"))
        if value is not None:
            parts.append(
                f"{word} {figure(value, places)}{f' ± {figure(error, places)}' if error is not None else ''}"
            )
    if model.get("published") is False:
        parts.append("not used")
    return f"{name[:1].upper()}{name[1:]} ({', '.join(parts)})."


def unknowns(facts: Facts) -> list[str]:
    """What the department does not know, said plainly.

    >>> unknowns(Facts())[0]
    'What any contact does: no experiment has been run.'
    """
    names = [str(m.get("model_id")) for m in facts.models]
    found = []
    if not facts.experiments and not facts.lifts:
        found.append("What any contact does: no experiment has been run.")
    found += [
        f"What {clean(r.get('arm'))} does to {sentences.outcome_word(r.get('outcome'))}: {_reason(r)}."
        for r in facts.lifts
        if known(r.get("estimate")) is None
    ]
    found += [
        f"Whether the {sentences.model_word(m)} can be trusted: {_reason(m)}."
        for m in facts.models
        if m.get("published") is False
    ]
    if "scores.support" not in names:
        found.append("Whom people support: there is no support score, so ballots are counted, not net votes.")
    found += [
        f"Where “{clean(g.get('about'))}” stands." for g in facts.goals if known(g.get("actual")) is None
    ]
    lost = sum(known(s.get("n_rejected")) or 0 for s in facts.sources)
    if lost:
        found.append(f"Who is behind the {plural(lost, 'row')} that could not be read.")
    return found


def _reason(row: Record) -> str:
    return clean(row.get("reason")).rstrip(".") or "no reason was given"


def summary(facts: Facts) -> str:
    """The gist in one line, for the page's description.

    >>> summary(Facts(decisions=[{"question": "Mail?", "expected": 12, "low": 3, "high": 20}]))
    'Mail? +12 ballots (95 % interval 3 to 20).'
    """
    parts = [f["finding"] for f in findings(facts)[:1]]
    for row in facts.decisions[-1:]:
        if known(row.get("expected")) is not None:
            gain = with_interval(
                f"{figure(row['expected'], digits(row), sign=True)} {noun(row)}",
                row.get("low"),
                row.get("high"),
                digits(row),
            )
            parts.append(f"{clean(row.get('question'))} {gain}.")
    return " ".join(parts)
