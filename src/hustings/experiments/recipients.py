"""Who was sent which variant in which send, and what each did within the horizon."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator

from hustings.errors import DesignError
from hustings.stage import Table
from hustings.warehouse import arrays, codes

_OPENS = {"open", "opens", "opened", "opening", "openings", "openrate", "openrates"}
_INSTEAD = (
    "a click, a gift or a sign-up: mail programs fetch pictures by themselves, so an open is no evidence"
)


def refuse_opens(outcome: str) -> str:
    """The outcome itself, unless it is about opens.

    Raises:
        DesignError: It is.

    >>> refuse_opens("click")
    'click'
    """
    if _is_open(outcome):
        raise DesignError.of("Opens cannot decide a message test", received=outcome, allowed=_INSTEAD)
    return outcome


def _is_open(outcome: str) -> bool:
    return bool(set(re.split(r"[^a-z]+", outcome.lower())) & _OPENS)


def _checked(outcome: str) -> str:
    if _is_open(outcome):
        raise ValueError(_INSTEAD)
    return outcome


Outcome = Annotated[str, AfterValidator(_checked)]
"""The name of an outcome, as a setting: refused where campaign.toml is checked already."""


class Measure(NamedTuple):
    """How one outcome is read: its name, where from, within how many days, and whether amounts are added up."""

    outcome: str
    measured_from: Literal["events", "outcomes"]
    horizon_days: int
    is_amount: bool


class Recipients(NamedTuple):
    """The recipients of one message test.

    Attributes:
        labels: The variants, control first.
        arm: (n,) code of each recipient's variant.
        unit: (n,) code of the randomised unit.
        send: (n,) number of the send, from 0.
        value: (n,) the outcome; NaN where it is not known.
        due: (n,) the day on which each horizon ends; NaT where the day of the send is not known.
    """

    labels: list[str]
    arm: npt.NDArray[np.int64]
    unit: npt.NDArray[np.int64]
    send: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    due: npt.NDArray[np.datetime64]

    def at(self, rows: npt.NDArray[np.bool_]) -> Recipients:
        """Some of them."""
        return Recipients(
            self.labels,
            self.arm[rows],
            self.unit[rows],
            self.send[rows],
            self.value[rows],
            self.due[rows],
        )


def read_recipients(
    assignments: Table, events: Table, outcomes: Table, sends: list[str], control: str, measure: Measure
) -> Recipients:
    """All recipients of the sends, in order; a person of two sends is there twice."""
    drawn = assignments.filter(assignments.experiment.isin(sends))
    if measure.measured_from == "events":
        rows = _with_events(drawn, events, measure)
    else:
        found = outcomes.filter(outcomes.outcome == measure.outcome).select("person_id", "value")
        rows = drawn.left_join(found, "person_id", rname="{name}_o")
    rows = rows.order_by("experiment", "person_id")
    got = arrays(rows, "experiment", "arm", "unit_id", "value", "assigned_on")
    others = sorted(set(got["arm"].tolist()) - {control})
    labels = [control, *others]
    sent: npt.NDArray[np.datetime64] = np.array(got["assigned_on"], dtype="datetime64[D]")
    due: npt.NDArray[Any] = sent + np.timedelta64(measure.horizon_days, "D")
    return Recipients(
        labels,
        codes(got["arm"], labels).codes,
        codes(got["unit_id"]).codes,
        codes(got["experiment"], sends).codes,
        np.asarray(got["value"], np.float64),
        due,
    )


def _with_events(drawn: Any, events: Any, measure: Measure) -> Any:
    """What each did from the day of the send on, within the horizon; nothing is 0, an unknown amount unknown."""
    import ibis

    kind = events.filter(events.kind == measure.outcome).select("person_id", "value", "happened_at")
    sent = drawn.select("experiment", "person_id", "assigned_on")
    pairs = sent.join(kind, "person_id")
    day = pairs.happened_at.date().delta(pairs.assigned_on, unit="day")
    pairs = pairs.filter((day >= 0) & (day < measure.horizon_days))
    done = pairs.group_by("experiment", "person_id").agg(
        total=pairs.value.sum(), n_events=pairs.count(), n_known=pairs.value.count()
    )
    rows = drawn.left_join(done, ["experiment", "person_id"], rname="{name}_d")
    if not measure.is_amount:
        return rows.mutate(value=rows.n_events.notnull().cast("float64"))
    unknown = rows.n_events != rows.n_known
    value = ibis.cases((rows.n_events.isnull(), 0.0), (unknown, ibis.null("float64")), else_=rows.total)
    return rows.mutate(value=value)


def sealed_until(recipients: Recipients, as_of: datetime.date) -> datetime.date | None:
    """The last horizon's end, where it is still to come."""
    late = recipients.due[recipients.due > np.datetime64(as_of)]
    return late.max().astype(object) if len(late) else None
