"""What one person may give to a candidate, by date: the law as a table, and a campaign's own rows over it."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hustings.stage import About, Result, stage
from hustings.tables import spec

Day = datetime.date


class Limit(NamedTuple):
    """One limit: from its first day to its last one; `cents` None where there is none."""

    jurisdiction: str
    office: str
    starts_on: Day
    ends_on: Day | None
    per: str
    cents: int | None
    source: str


# From the day after a general election to the day of the next one: 11 CFR 110.1(b)(1)(ii). The first row is the law's own
# sum, for gifts from 2003 on: what was given before had a lower limit, so nothing is told of it.
_FEDERAL = (
    (Day(2003, 1, 1), Day(2004, 11, 2), 2_000),
    (Day(2004, 11, 3), Day(2006, 11, 7), 2_100),
    (Day(2006, 11, 8), Day(2008, 11, 4), 2_300),
    (Day(2008, 11, 5), Day(2010, 11, 2), 2_400),
    (Day(2010, 11, 3), Day(2012, 11, 6), 2_500),
    (Day(2012, 11, 7), Day(2014, 11, 4), 2_600),
    (Day(2014, 11, 5), Day(2016, 11, 8), 2_700),
    (Day(2016, 11, 9), Day(2018, 11, 6), 2_700),
    (Day(2018, 11, 7), Day(2020, 11, 3), 2_800),
    (Day(2020, 11, 4), Day(2022, 11, 8), 2_900),
    (Day(2022, 11, 9), Day(2024, 11, 5), 3_300),
    (Day(2024, 11, 6), Day(2026, 11, 3), 3_500),
)
LIMITS: tuple[Limit, ...] = tuple(
    Limit(
        "federal",
        "candidate",
        first,
        last,
        "election",
        100 * dollars,
        "52 U.S.C. 30116(a)(1)(A), indexed by (c); Federal Register notices of the FEC; "
        "fec.gov/help-candidates-and-committees/candidate-taking-receipts/contribution-limits",
    )
    for first, last, dollars in _FEDERAL
)
"""Individuals to a federal candidate. Other jurisdictions differ and change: a campaign there gives its own."""


class OwnLimit(BaseModel):
    """A row of `[limits] own`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    jurisdiction: str = Field(description="As in `[donors] jurisdiction`.")
    office: str = Field("candidate", description="As in `[donors] office`.")
    starts_on: Day = Field(description="The first day on which it holds.")
    ends_on: Day | None = Field(None, description="The last one; it still holds unless given.")
    per: Literal["election", "cycle"] = Field("election", description="For each election, or for all of a cycle together.")  # fmt: skip
    cents: int | None = Field(None, ge=0, description="The most that one person may give; no limit unless given.")  # fmt: skip
    source: str = Field(min_length=1, description="Where it stands: law, paragraph, day it was looked up.")

    @model_validator(mode="after")
    def _in_order(self) -> OwnLimit:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise ValueError("ends_on is before starts_on")
        return self


@stage(writes="limits")
def declare_limits(
    *,
    own: Annotated[
        list[OwnLimit],
        About(
            "The law of a state, city or party; a row of the same jurisdiction, office and first day wins."
        ),
    ] = [],  # noqa: B006
) -> Result:
    """The table of limits: the law's, and the campaign's own rows over it."""
    rows: dict[Any, Limit] = {(one.jurisdiction, one.office, one.starts_on): one for one in LIMITS}
    for given in own:
        rows[given.jurisdiction, given.office, given.starts_on] = Limit(**dict(given))
    return {name: [getattr(row, name) for row in rows.values()] for name in spec("limits").names}
