"""What the literature measured of each kind of action: where every campaign starts, before tests of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hustings.errors import SettingError

_BOOK = "Green & Gerber, Get Out the Vote (Brookings, 2004), partisan contested elections"
_NIL = "Green & Gerber, Get Out the Vote (Brookings, 2004): no detectable effect"
_TEXTS = "Bhatti, Dahlgaard, Hansen & Hansen, J. Elections, Public Opinion and Parties 27 (2017), four Danish trials"
_FRIENDS = "Schein et al., The Web Conference (2021): friend-to-friend texts in 2018; small effects in 2020"
_PERSUASION = (
    "Kalla & Broockman, American Political Science Review 112 (2018): 49 field experiments, average zero"
)

# Effects fall by 33 to 76 % from low- to high-salience elections (Mann & Haenschen, Electoral Studies, 2024).
SALIENT = 0.45


@dataclass(frozen=True)
class Prior:
    """What one kind of action does, as published.

    Attributes:
        method: The kind of action; two words, so that no `[actions.NAME]` can be called so.
        channel: The channel it uses.
        outcome: What it changes: `voted` (turnout) or `support` (candidate choice).
        estimand: Whom the number speaks of: `contact`, a person who is reached, or `assignment`, everyone who
            was to be reached.
        mean: The effect, in shares.
        std_error: Of that mean.
        spread: Standard deviation of true effects between tests.
        contact_rate: Share of the assigned who are usually reached.
        discount_age: Share of the mean that is believed although the studies are old.
        discount_salient: Share of the mean that is left in an election of high salience.
        assumed: Which of these numbers no source states: they are ours.
        source: Where the mean is from.
    """

    method: str
    channel: str
    outcome: Literal["voted", "support"]
    estimand: Literal["contact", "assignment"]
    mean: float
    std_error: float
    spread: float
    contact_rate: float
    discount_age: float
    discount_salient: float
    assumed: tuple[str, ...]
    source: str

    def discount(self, salience: str) -> float:
        """The share of the published mean that is believed.

        >>> prior("postal mail", "voted").discount("low")
        0.8
        """
        return self.discount_age * (self.discount_salient if salience == "high" else 1.0)


_OURS = ("std_error", "spread", "discount_age")
_RATE = (*_OURS, "contact_rate")

PRIORS = (
    Prior("door canvass", "door", "voted", "contact", 1 / 14, 0.020, 0.040, 0.30, 0.8, SALIENT, _RATE, _BOOK),
    Prior(
        "leaflet drop", "door", "voted", "assignment", 1 / 66, 0.008, 0.010, 1.0, 0.8, SALIENT, _OURS, _BOOK
    ),
    Prior(
        "volunteer call", "phone", "voted", "contact", 1 / 35, 0.010, 0.020, 0.35, 0.8, SALIENT, _RATE, _BOOK
    ),
    Prior("paid call", "phone", "voted", "contact", 1 / 400, 0.004, 0.010, 0.35, 0.8, SALIENT, _RATE, _BOOK),
    Prior("automated call", "phone", "voted", "assignment", 0.0, 0.002, 0.003, 1.0, 1.0, 1.0, _OURS, _NIL),
    Prior(
        "postal mail", "mail", "voted", "assignment", 1 / 177, 0.002, 0.008, 1.0, 0.8, SALIENT, _OURS, _BOOK
    ),
    Prior("mass e-mail", "email", "voted", "assignment", 0.0, 0.002, 0.003, 1.0, 1.0, 1.0, _OURS, _NIL),
    Prior(
        "text message", "text", "voted", "assignment", 0.0074, 0.003, 0.006, 1.0, 1.0, SALIENT, _OURS, _TEXTS
    ),
    Prior(
        "friend ask", "friend", "voted", "contact", 0.083, 0.030, 0.030, 0.50, 0.25, SALIENT, _RATE, _FRIENDS
    ),
    *(
        Prior(method, channel, "support", "contact", 0.0, 0.005, 0.010, rate, 1.0, 1.0, _RATE, _PERSUASION)
        for method, channel, rate in (
            ("door canvass", "door", 0.30),
            ("volunteer call", "phone", 0.35),
            ("paid call", "phone", 0.35),
            ("postal mail", "mail", 1.0),
        )
    ),
)

USUAL = {
    "door": "door canvass",
    "phone": "volunteer call",
    "mail": "postal mail",
    "email": "mass e-mail",
    "text": "text message",
    "friend": "friend ask",
}
"""The method of an action, by its channel, where campaign.toml does not say."""


def prior(method: str, outcome: str) -> Prior:
    """The prior of a method for an outcome.

    Raises:
        SettingError: Nothing is known of it.

    >>> round(1 / prior("door canvass", "voted").mean)
    14
    """
    for one in PRIORS:
        if (one.method, one.outcome) == (method, outcome):
            return one
    known = [one.method for one in PRIORS if one.outcome == outcome]
    raise SettingError.unknown(f"No published effect on {outcome} of", method, known, "edit [evidence]")
