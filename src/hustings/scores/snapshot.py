"""People as they were known on a day, with what they did after it: features, labels, groups, rivals.

Whatever describes them happened before the day and had arrived by its morning; whatever labels them happened
on the day or later. Nothing else of a score's tables is read.
"""

from __future__ import annotations

import datetime
import functools
import operator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.scores.declared import Answer, Happening, Population, Question
from hustings.stage import Table
from hustings.tables import spec
from hustings.warehouse import arrays

FEATURES = spec("features").names
_PLACES = ("household_id", "place_id", "region_id", "sex")
_PAST = ("n_{}_before", "days_since_last_{}", "mean_{}_value", "last_{}_value")
VENDOR = "vendor"


class Tables(NamedTuple):
    """What a score is made from."""

    features: Table
    outcomes: Table
    events: Table
    people: Table
    assignments: Table
    experiments: Table


class Snapshot(NamedTuple):
    """Everybody of the population, as of one day.

    Attributes:
        columns: Features, `household_id`, `place_id`, `region_id`, `sex`, `label` (NaN where not known) and
            `treated`; in the order of `person_id`.
        past: Names of the columns that tell of a person's own past of what is predicted.
        n_unknown: People whose amount is missing although they did it.
    """

    columns: dict[str, npt.NDArray[Any]]
    past: tuple[str, ...]
    n_unknown: int


def past_names(question: Question) -> tuple[str, ...]:
    """The columns that tell of a person's own past of what is predicted.

    Args:
        question: The question.

    Returns:
        How often, how long ago, mean and last value; nothing where an outcome is predicted.
    """
    return () if question.own is None else tuple(name.format(question.own.kind) for name in _PAST)


def snapshot(tables: Tables, question: Question, day: datetime.date, vendor: str | None) -> Snapshot:
    """The population of a score as of a day, with what became of it.

    Args:
        tables: The warehouse's tables.
        question: What is predicted.
        day: The day.
        vendor: The name of a vendor's score to be laid beside, or None.

    Returns:
        One row a person who is described as of that day.
    """
    described = tables.features.filter(tables.features.as_of == day)
    rows = described.join(tables.people.select("person_id", *_PLACES), "person_id", rname="{name}_p").select(
        *FEATURES, *_PLACES
    )
    rows = _among(rows, tables.events, question.population, day)
    own = question.own
    if own is not None:
        rows = _with_past(rows, _matching(tables.events, own), day, past_names(question))
    if vendor is not None:
        rows = _with_vendor(rows, tables, day, vendor)
    for name in question.also_known:
        rows = _with_outcome(rows, tables.outcomes, day, name)
    rows = _beside(rows, _labels(tables, question, day), "label", "_unknown")
    rows = _beside(rows, _treated(tables, question, day), "treated")
    columns = arrays(rows.order_by("person_id"))
    unknown = np.nan_to_num(np.asarray(columns.pop("_unknown"), np.float64)) > 0
    label = np.array(columns["label"], np.float64)
    if question.event is not None:
        # Whoever is described and did not do it has done it nought times.
        label = np.where(np.isnan(label) & ~unknown, 0.0, label)
        label = 1 - label if question.absent else label
    treated = np.nan_to_num(np.asarray(columns["treated"], np.float64)) > 0
    return Snapshot(columns | {"label": label, "treated": treated}, past_names(question), int(unknown.sum()))


def _beside(rows: Any, other: Any, *names: str) -> Any:
    joined = rows.left_join(other.select("person_id", *names), "person_id", rname="{name}_r")
    return joined.select(*rows.columns, *names)


def _morning(day: datetime.date) -> Any:
    import ibis

    return ibis.timestamp(datetime.datetime.combine(day, datetime.time()))


def _matching(events: Table, what: Happening) -> Any:
    given = [events.kind == what.kind]
    keys = ("name", "election_kind", "channel", "item")
    given += [events[key] == getattr(what, key) for key in keys if getattr(what, key) is not None]
    return events.filter(functools.reduce(operator.and_, given))


def _before(events: Any, day: datetime.date, within_days: int | None = None) -> Any:
    found = events.filter((events.happened_at < _morning(day)) & (events.arrived_at <= _morning(day)))
    if within_days is None:
        return found
    return found.filter(found.happened_at >= _morning(day - datetime.timedelta(days=within_days)))


def _among(rows: Any, events: Table, population: Population, day: datetime.date) -> Any:
    """Whoever meets every condition of the population, as it was known on the day."""
    lists = {"party": "party", "sex": "sex", "place": "place_id", "region": "region_id"}
    for key, column in lists.items():
        if getattr(population, key) is not None:
            rows = rows.filter(rows[column].isin(getattr(population, key)))
    if population.min_age is not None:
        rows = rows.filter(rows.age >= population.min_age)
    if population.max_age is not None:
        rows = rows.filter(rows.age <= population.max_age)
    if population.did is not None:
        rows = rows.semi_join(_who(events, population.did, day), "person_id")
    if population.did_not is not None:
        rows = rows.anti_join(_who(events, population.did_not, day), "person_id")
    return rows


def _who(events: Table, what: Happening, day: datetime.date) -> Any:
    return _before(_matching(events, what), day, what.within_days).select("person_id").distinct()


def _newest(rows: Any, at: str, *columns: str) -> Any:
    """Each person's newest row, whatever the order of rows."""
    import ibis

    order = [ibis.desc(at), *(rows[name].desc() for name in columns)]
    ranked = rows.mutate(_rank=ibis.row_number().over(ibis.window(group_by="person_id", order_by=order)))
    return ranked.filter(ranked["_rank"] == 0).select("person_id", *columns)


def _with_past(rows: Any, own: Any, day: datetime.date, names: tuple[str, ...]) -> Any:
    often, since, mean, last = names
    past = _before(own, day)
    made = past.group_by("person_id").agg(
        _n=past.count(),
        _at=past.happened_at.max(),
        **{mean: past.value.mean()},
    )
    latest = _newest(past.filter(past.value.notnull()), "happened_at", "value")
    made = _beside(made, latest.select("person_id", **{last: "value"}), last)
    made = made.mutate(
        **{
            often: made["_n"].cast("float64"),
            since: _morning(day).date().delta(made["_at"].date(), unit="day").cast("float64"),
        }
    )
    rows = _beside(rows, made, *names)
    return rows.mutate(**{often: rows[often].fill_null(0.0)})


def _with_vendor(rows: Any, tables: Tables, day: datetime.date, vendor: str) -> Any:
    """The newest number of a vendor that had arrived: an event of kind `score`, or an outcome of that name."""
    import ibis

    sold = tables.events.filter((tables.events.kind == "score") & (tables.events.name == vendor))
    told = tables.outcomes.filter(
        (tables.outcomes.outcome == vendor) & (tables.outcomes.arrived_at <= _morning(day))
    )
    told = told.filter(told.happened_on < day)
    known = _before(sold, day)
    parts = [
        known.select("person_id", value=known.value.cast("float64"), at=known.happened_at.date()),
        told.select("person_id", value=told.value.cast("float64"), at=told.happened_on.cast("date")),
    ]
    both = ibis.union(*parts, distinct=False)
    newest = _newest(both.filter(both.value.notnull()), "at", "value")
    return _beside(rows, newest.select("person_id", **{VENDOR: "value"}), VENDOR)


def _with_outcome(rows: Any, outcomes: Table, day: datetime.date, name: str) -> Any:
    """An outcome that was over, and known, before the day."""
    told = outcomes.filter((outcomes.outcome == name) & (outcomes.happened_on < day))
    told = told.filter(told.arrived_at <= _morning(day))
    return _beside(rows, told.select("person_id", **{name: "value"}), name)


def _treated(tables: Tables, question: Question, day: datetime.date) -> Any:
    """Whoever a test has written to, unless its arms are what people get anyway: what they did is not their own."""
    drawn = tables.assignments
    end = question.end(day)
    if end is not None:
        drawn = drawn.filter(drawn.assigned_on.isnull() | (drawn.assigned_on < end))
    arms = tables.experiments.filter(
        ~tables.experiments.is_control & ~tables.experiments.everyday.fill_null(False)
    )
    treated = drawn.join(arms, ["experiment", "arm"], rname="{name}_e").select("person_id").distinct()
    return treated.mutate(treated=1)


def _labels(tables: Tables, question: Question, day: datetime.date) -> Any:
    """person_id, label, and whether something happened whose value is not known."""
    import ibis

    nothing = ibis.literal(0).cast("int64")
    if question.outcome is not None:
        found = _after_outcome(tables.outcomes, question, day)
        return found.select("person_id", label=found.value, _unknown=nothing)
    happened = _after_events(tables.events, question, day)
    if question.answer is not None:
        newest = _newest(happened, "happened_at", "value", "item")
        label = answered(newest, question.answer)
        return newest.select("person_id", label=label, _unknown=nothing)
    if not question.amount:
        who = happened.select("person_id").distinct()
        return who.select("person_id", label=ibis.literal(1.0), _unknown=nothing)
    made = happened.group_by("person_id").agg(
        total=happened.value.sum(), _unknown=happened.value.isnull().cast("int64").sum()
    )
    label = (made["_unknown"] > 0).ifelse(ibis.null("float64"), made["total"])
    return made.select("person_id", "_unknown", label=label)


def _after_outcome(outcomes: Table, question: Question, day: datetime.date) -> Any:
    found = outcomes.filter((outcomes.outcome == question.outcome) & (outcomes.happened_on >= day))
    end = question.end(day)
    if end is not None:
        found = found.filter(found.happened_on < end)
    if day < question.as_of:
        found = found.filter(
            (found.happened_on < question.as_of) & (found.arrived_at <= _morning(question.as_of))
        )
    return found


def _after_events(events: Table, question: Question, day: datetime.date) -> Any:
    """The events that are predicted, of the days after a day; of an earlier day those known by `as_of`."""
    own = question.own
    assert own is not None
    found = _matching(events, own)
    found = found.filter(found.happened_at >= _morning(day))
    end = question.end(day)
    if end is not None:
        found = found.filter(found.happened_at < _morning(end))
    if day < question.as_of:
        now = _morning(question.as_of)
        found = found.filter((found.happened_at < now) & (found.arrived_at <= now))
    return found


def answered(rows: Any, answer: Answer) -> Any:
    """An answer as 1, 0, or null where it counts as neither.

    Args:
        rows: With `value` and `item`.
        answer: Which answers are a yes, and which a no.

    Returns:
        The label as an expression.
    """
    import ibis

    if not answer.yes:
        return rows.value
    cases = []
    for given, label in ((answer.yes, 1.0), (answer.no, 0.0)):
        numbers = [float(one) for one in given if not isinstance(one, str)]
        words = [one for one in given if isinstance(one, str)]
        if numbers:
            cases.append((rows.value.isin(numbers), label))
        if words:
            cases.append((rows.item.isin(words), label))
    return ibis.cases(*cases, else_=ibis.null("float64"))


def check_days(tables: Tables, question: Question, vendor: str | None) -> None:
    """Refuse days of training that nothing can be learned from.

    Args:
        tables: The warehouse's tables.
        question: What is predicted.
        vendor: The name of a vendor's score, or None.

    Raises:
        DesignError: Nobody is described as of such a day, its horizon is not over, or no vendor's score of
            that name has arrived.
    """
    where = f"[scores.{question.score}]"
    days = tables.features.select("as_of").distinct().to_pyarrow()["as_of"].to_pylist()
    for day in question.trained:
        if day not in days:
            raise DesignError.of(
                f"{where} nobody is described as of {day}",
                allowed=[str(known) for known in sorted(days)],
                then=f"add {day} to moments in [features]; people count from the day their file arrived",
            )
    if question.own is not None and question.horizon_days is not None:
        _check_horizon(tables.events, question, where)
    told = tables.outcomes.select("outcome").distinct().to_pyarrow()["outcome"].to_pylist()
    for name in question.also_known:
        if name not in told:
            raise DesignError.unknown(f"{where} also_known: no outcome", name, told)
    if vendor is not None:
        held = (
            tables.events.filter((tables.events.kind == "score") & (tables.events.name == vendor)).count(),
            tables.outcomes.filter(tables.outcomes.outcome == vendor).count(),
        )
        if not any(n.to_pyarrow().as_py() for n in held):
            raise DesignError.of(
                f"{where} no vendor's score of that name",
                received=vendor,
                allowed="the name of an event of kind score, or of an outcome",
                then="map it in a source's record_events",
            )


def _check_horizon(events: Table, question: Question, where: str) -> None:
    """An event that has not come yet is a no only when its days are over and told of."""
    latest = question.trained[-1]
    end = question.end(latest)
    assert end is not None
    if latest < question.as_of:
        known, why = question.as_of, f"as_of is {question.as_of}"
    else:
        newest = events.arrived_at.max().to_pyarrow().as_py()
        known = newest.date() if newest is not None else question.as_of
        why = f"the newest event arrived on {known}"
    if end > known:
        raise DesignError.of(
            f"{where} the {question.horizon_days} days after {latest} are not over: {why}",
            then=f"an earlier trained_as_of, or a horizon of at most {max((known - latest).days, 0)} days",
        )
