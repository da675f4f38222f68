"""People and events ─► features as of a day.

Nothing counts that happened on that day or later, nor what arrived after it. A test's people get a second
row as of the day of its draw, so that no covariate of a test is measured after its treatment.
"""

from __future__ import annotations

import datetime
import functools
import operator
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from hustings.errors import SettingError
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec

RECENT = 6
"""Elections in `vote_pattern`."""
_YEAR = 365.2425


class Election(NamedTuple):
    """One past election that some person is known to have voted in; without a name it is an empty text."""

    name: str
    kind: str
    on: datetime.date


def check_issues(settings: Mapping[str, Any], sections: Mapping[str, Any]) -> None:
    """Refuse a feature from a section that is not there: nobody would ever have it.

    Raises:
        SettingError: With the sections that are there.
    """
    named, there = settings["issues"], sections.get("issues", {})
    if named is not None and named not in there:
        raise SettingError.unknown(
            "[features] issues: no such section",
            named,
            there,
            f"add [issues.{named}], or take the setting out",
        )


@stage(writes="features", check=check_issues)
def build_features(
    people: Table,
    events: Table,
    assignments: Table | None,
    text_issues: Table | None = None,
    *,
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
    moments: Annotated[
        list[datetime.date], About("Further days as of which everyone is described, to train scores on.")
    ] = [],  # noqa: B006
    voting_age: Annotated[
        int, About("Elections before this age do not count against a person.", ge=0, le=30)
    ] = 18,
    issues: Annotated[
        str | None,
        About("The `[issues.…]` section whose issues become the feature `issue`; none unless given."),
    ] = None,
) -> Result:
    """One row for each person as of `as_of`, of each of `moments`, and of the draw of each test they are in."""
    import ibis

    said = None if text_issues is None else text_issues.filter(text_issues.coding == ibis.literal(issues))
    pieces = [describe(people, events, moment, voting_age, said) for moment in sorted({as_of, *moments})]
    for moment in _draws(assignments, {as_of, *moments}):
        tested = assignments.filter(assignments.assigned_on == moment).select("person_id").distinct()  # type: ignore[union-attr]
        pieces.append(describe(people, events, moment, voting_age, said).semi_join(tested, "person_id"))
    return ibis.union(*pieces, distinct=False) if len(pieces) > 1 else pieces[0]


def _draws(assignments: Table | None, done: set[datetime.date]) -> list[datetime.date]:
    if assignments is None:
        return []
    found = assignments.select("assigned_on").distinct().to_pyarrow()["assigned_on"].to_pylist()
    return sorted({day for day in found if day is not None and day < max(done)} - done)


def describe(
    people: Table, events: Table, as_of: datetime.date, voting_age: int, said: Table | None = None
) -> Any:
    """Every person who was known by a day, as known on its morning.

    Args:
        people: The table of that name.
        events: The table of that name.
        as_of: The day.
        voting_age: In years.
        said: What texts are about, of one coding; None where nothing is read.

    Returns:
        The columns of `features`.
    """
    import ibis

    morning = ibis.timestamp(datetime.datetime.combine(as_of, datetime.time()))
    past = events.filter((events.happened_at < morning) & (events.arrived_at <= morning))
    known = people.filter(people.arrived_at <= morning)
    votes = past.filter(past.kind == "vote")
    elections = _elections(votes)
    rows = _with_votes(known, votes, elections, as_of, voting_age)
    rows = _with_contacts(rows, past.filter(past.kind == "contact"), morning)
    rows = _with_issue(rows, said, morning)
    rows = rows.mutate(
        as_of=ibis.date(as_of),
        age=ibis.date(as_of).delta(rows.born_on, unit="day") / _YEAR,
        is_female=ibis.cases(
            (rows.sex == "female", True), (rows.sex == "male", False), else_=ibis.null("boolean")
        ),
        household_size=rows.person_id.count().over(ibis.window(group_by="household_id")),
        years_registered=ibis.date(as_of).delta(rows.registered_on, unit="day") / _YEAR,
    )
    return _with_neighbours(rows).select(*spec("features").names)


def _elections(votes: Any) -> list[Election]:
    """The elections that somebody voted in, newest first; the same name on one day is one election."""
    held = (
        votes.mutate(on=votes.happened_at.date(), name=votes.name.fill_null(""))
        .group_by("name", "on")
        .agg(election_kind=votes.election_kind.max())
    )
    found = held.order_by(held.on.desc(), held.name).to_pyarrow().to_pylist()
    return [Election(row["name"], row["election_kind"] or "other", row["on"]) for row in found]


def _with_votes(
    rows: Any, votes: Any, elections: list[Election], as_of: datetime.date, voting_age: int
) -> Any:
    """Vote history: counts, shares of the elections a person was old enough for, the latest, the pattern."""
    import ibis

    def total(columns: list[Any]) -> Any:
        return functools.reduce(operator.add, columns, ibis.literal(0).cast("int64"))

    marks = {
        f"_voted_{i}": ((votes.name.fill_null("") == e.name) & (votes.happened_at.date() == e.on)).any()
        for i, e in enumerate(elections)
    }
    voted = votes.group_by("person_id").agg(_last=votes.happened_at.max(), **marks)
    rows = rows.left_join(voted, "person_id", rname="{name}_voted").drop("person_id_voted")
    rows = rows.mutate(**{name: rows[name].fill_null(False) for name in marks})
    old_enough = [
        (rows.born_on.isnull() | (rows.born_on <= _years_before(e.on, voting_age)) | rows[f"_voted_{i}"])
        for i, e in enumerate(elections)
    ]
    made: dict[str, Any] = {}
    for kind in ("general", "primary", "other"):
        of = [
            i
            for i, e in enumerate(elections)
            if (e.kind if e.kind in ("general", "primary") else "other") == kind
        ]
        made[f"n_{kind}"] = total([rows[f"_voted_{i}"].cast("int64") for i in of])
        made[f"_of_{kind}"] = total([old_enough[i].cast("int64") for i in of])
        made[f"voted_last_{kind}"] = rows[f"_voted_{of[0]}"] if of else ibis.null("boolean")
    pattern = [rows[f"_voted_{i}"].ifelse("1", "0") for i in range(min(RECENT, len(elections)))]
    made["vote_pattern"] = functools.reduce(operator.add, pattern) if pattern else ibis.null("string")
    rows = rows.mutate(**made)
    n_voted = rows.n_general + rows.n_primary + rows.n_other
    n_held = rows["_of_general"] + rows["_of_primary"] + rows["_of_other"]
    return rows.mutate(
        share_general=rows.n_general / rows["_of_general"].nullif(0),
        share_primary=rows.n_primary / rows["_of_primary"].nullif(0),
        share_voted=n_voted / n_held.nullif(0),
        years_since_vote=ibis.date(as_of).delta(rows["_last"].date(), unit="day") / _YEAR,
    )


def _years_before(day: datetime.date, years: int) -> datetime.date:
    # 28 February stands for 29 in a year that has none.
    return day.replace(year=day.year - years, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _with_contacts(rows: Any, contacts: Any, morning: Any) -> Any:
    made = contacts.group_by("person_id").agg(_contacts=contacts.count(), _contact=contacts.happened_at.max())
    rows = rows.left_join(made, "person_id", rname="{name}_contacted").drop("person_id_contacted")
    return rows.mutate(
        n_contacts=rows["_contacts"].fill_null(0),
        days_since_contact=morning.date().delta(rows["_contact"].date(), unit="day").cast("float64"),
    )


def _with_issue(rows: Any, said: Any, morning: Any) -> Any:
    """The issue of the latest text that is clear, said and known before the morning."""
    import ibis

    if said is None:
        return rows.mutate(issue=ibis.null("string"))
    clear = said.filter(said.reason.isnull() & (said.happened_at < morning) & (said.arrived_at <= morning))
    latest = ibis.window(group_by="person_id", order_by=[ibis.desc("happened_at"), "source", "event_id"])
    newest = clear.mutate(_rank=ibis.row_number().over(latest)).filter(lambda t: t["_rank"] == 0)
    joined = rows.left_join(newest.select("person_id", "issue"), "person_id", rname="{name}_said")
    return joined.drop("person_id_said")


def _with_neighbours(rows: Any) -> Any:
    """Means over the *others* of the household and of the place."""
    import ibis

    home, place = ibis.window(group_by="household_id"), ibis.window(group_by="place_id")

    def others(column: str, window: Any) -> Any:
        n = rows[column].count().over(window) - rows[column].notnull().cast("int64")
        total = rows[column].sum().over(window) - rows[column].fill_null(0)
        return total / n.nullif(0)

    somewhere = rows.place_id.notnull()
    nowhere = ibis.null("float64")
    return rows.mutate(
        household_share_voted=others("share_voted", home),
        place_share_voted=somewhere.ifelse(others("share_voted", place), nowhere),
        place_age=somewhere.ifelse(others("age", place), nowhere),
        place_people=somewhere.ifelse(rows.person_id.count().over(place), ibis.null("int64")),
    )
