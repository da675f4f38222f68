"""The simulated calendar: six elections behind, a randomised mailing, and the election ahead."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class Election:
    """One election.

    Attributes:
        column: Its column in the voter file.
        name: As people say it.
        kind: `general` or `primary`.
        day: When it was held.
        intercept: Log-odds of voting of someone whose propensity is 0.
    """

    column: str
    name: str
    kind: str
    day: datetime.date
    intercept: float


PAST = (
    Election("primary_2020", "2020 primary", "primary", datetime.date(2020, 8, 4), -1.15),
    Election("general_2020", "2020 general", "general", datetime.date(2020, 11, 3), 1.60),
    Election("primary_2022", "2022 primary", "primary", datetime.date(2022, 8, 2), -1.20),
    Election("general_2022", "2022 general", "general", datetime.date(2022, 11, 8), 0.60),
    Election("primary_2024", "2024 primary", "primary", datetime.date(2024, 8, 6), -1.30),
    Election("general_2024", "2024 general", "general", datetime.date(2024, 11, 5), 1.60),
)

REGISTRATION_CLOSED = datetime.date(2026, 6, 5)
"""The last day of registration of the people of the file."""
FILE_BOUGHT_ON = datetime.date(2026, 6, 15)
ASKED_FROM = datetime.date(2026, 6, 20)
ASKED_UNTIL = datetime.date(2026, 7, 19)
"""When canvassers asked people whom they support: after the file was bought, before the arms were drawn."""
ENTERED_AFTER = 3
"""Days, at most, until a gift or a shift is entered in the book."""
LOADED_ON = datetime.date(2026, 7, 26)
"""When the campaign had the canvassers' sheets and its own book of gifts and shifts."""
DRAWN_ON = datetime.date(2026, 7, 20)
"""When the arms of the mailing were drawn, and the last day of refusals that the campaign knew of."""
MAILED_ON = datetime.date(2026, 7, 27)
AS_OF = MAILED_ON
"""People are described as of the eve of the mailing: nothing of this day or later is used."""
ELECTION_DAY = datetime.date(2026, 8, 4)
POSTED_ON = datetime.date(2026, 10, 1)
"""When it became known who had voted."""
