"""What a `[scores.…]` section may say: what is predicted, how far ahead, and of whom."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hustings.errors import DesignError

_HELP = "hustings settings scores"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Happening(_Strict):
    """Which events count: those of a kind, and of a name, channel or item where one is given."""

    kind: str = Field(description="Kind of the event: `gift`, `vote`, `canvass`, `shift`, … .")
    name: str | None = Field(None, description="Its name: an election, an appeal, a question.")
    election_kind: str | None = Field(None, description="Of a vote: `general`, `primary`, … .")
    channel: str | None = Field(None, description="Its channel: `mail`, `phone`, `door`, … .")
    item: str | None = Field(None, description="What was sent, said or answered.")
    within_days: int | None = Field(
        None, ge=1, description="Of a population: only so many days back; ever unless given."
    )

    def words(self) -> str:
        """It in words.

        >>> Happening.model_validate({"kind": "gift", "channel": "mail", "within_days": 365}).words()
        'gift, channel mail, within 365 days'
        """
        given = [f"{key} {getattr(self, key)}" for key in _NARROWED if getattr(self, key) is not None]
        back = [f"within {self.within_days} days"] if self.within_days else []
        return ", ".join([self.kind, *given, *back])


class Answer(Happening):
    """A question's newest answer: which answers are a yes, which a no; any other is left out."""

    yes: list[float | str] = Field(
        [], description="Answers that count as 1: a number is the event's value, a text its item."
    )
    no: list[float | str] = Field([], description="Answers that count as 0.")

    @model_validator(mode="after")
    def _told(self) -> Answer:
        if bool(self.yes) != bool(self.no):
            raise ValueError("yes and no belong together; without both the value itself is the answer")
        if set(map(str, self.yes)) & set(map(str, self.no)):
            raise ValueError("an answer cannot be both yes and no")
        if self.within_days is not None:
            raise ValueError("within_days belongs to a population; for how far ahead use horizon_days")
        return self


class Population(_Strict):
    """Of whom a score is made; every condition must hold, as of the day on which people are described."""

    party: list[str] | None = Field(None, description="Parties of registration.")
    sex: list[str] | None = Field(None, description="Sexes.")
    place: list[str] | None = Field(None, description="Smallest places.")
    region: list[str] | None = Field(None, description="Larger places.")
    min_age: float | None = Field(None, ge=0, description="Years, or older.")
    max_age: float | None = Field(None, ge=0, description="Years, or younger.")
    did: Happening | None = Field(None, description="Whoever did this before.")
    did_not: Happening | None = Field(None, description="Whoever did not do this before.")

    @model_validator(mode="after")
    def _possible(self) -> Population:
        for key in ("party", "sex", "place", "region"):
            if getattr(self, key) == []:
                raise ValueError(f"{key} names nobody")
        if self.min_age is not None and self.max_age is not None and self.min_age > self.max_age:
            raise ValueError("min_age is above max_age")
        return self

    def words(self) -> str:
        """It in words.

        >>> Population.model_validate({"party": ["D"], "did": {"kind": "gift"}}).words()
        'party D; did before: gift'
        """
        lists = [f"{key} {' or '.join(given)}" for key in _LISTS if (given := getattr(self, key))]
        ages = [
            f"{word} {given:g}"
            for word, given in (("aged at least", self.min_age), ("aged at most", self.max_age))
            if given is not None
        ]
        done = [
            f"{word}: {given.words()}"
            for word, given in (("did before", self.did), ("did not before", self.did_not))
            if given is not None
        ]
        return "; ".join([*lists, *ages, *done])


EVERYONE = Population.model_validate({})
_NARROWED = ("name", "election_kind", "channel", "item")
_LISTS = ("party", "sex", "place", "region")


class Question(NamedTuple):
    """What a score answers.

    Attributes:
        score: The score's name.
        outcome: The outcome of `outcomes` that is predicted, or None.
        event: The event whose coming is predicted, or None.
        answer: The question whose answer is predicted, or None.
        amount: Whether an amount is predicted, and not a yes or no.
        absent: Whether the event's not coming is predicted.
        horizon_days: For how many days ahead; None for as long as it takes.
        population: Of whom.
        as_of: The day as of which everyone is scored.
        trained: The days as of which people are described for training, the latest last.
        also_known: Outcomes of before the day that are features too.
    """

    score: str
    outcome: str | None
    event: Happening | None
    answer: Answer | None
    amount: bool
    absent: bool
    horizon_days: int | None
    population: Population
    as_of: datetime.date
    trained: tuple[datetime.date, ...]
    also_known: tuple[str, ...] = ()

    @property
    def of(self) -> str:
        """What is predicted, in words."""
        found = self.outcome or (
            self.event.words() if self.event else self.answer.words() if self.answer else ""
        )
        ahead = f" within {self.horizon_days} days" if self.horizon_days else ""
        return f"{'no ' if self.absent else ''}{found}{ahead}"

    @property
    def purpose(self) -> str:
        """The question, in words."""
        if self.amount:
            return f"the expected amount of {self.of}"
        return f"the probability of {self.of}"

    @property
    def own(self) -> Happening | None:
        """The events whose past is a feature: those of which the next is predicted."""
        return self.event or self.answer

    def end(self, day: datetime.date) -> datetime.date | None:
        """The first day after the horizon of people described as of a day."""
        return None if self.horizon_days is None else day + datetime.timedelta(days=self.horizon_days)


def ask(
    score: str,
    what: tuple[str | None, Happening | None, Answer | None],
    how: tuple[bool, bool, int | None],
    population: Population | None,
    days: tuple[datetime.date, datetime.date | None, list[datetime.date]],
) -> Question:
    """A section's settings as one question, or what is wrong with them.

    Args:
        score: The score's name.
        what: Its `outcome`, `event` and `answer`.
        how: Its `amount`, `absent` and `horizon_days`.
        population: Of whom, or None for everyone.
        days: Its `as_of`, `trained_as_of` and `earlier`.

    Returns:
        The question.

    Raises:
        DesignError: The settings contradict each other.
    """
    where = f"[scores.{score}]"
    outcome, event, answer = what
    amount, absent, horizon = how
    if sum(given is not None for given in what) != 1:
        raise DesignError.of(
            f"{where} says not what is predicted", allowed="exactly one of outcome, event, answer", then=_HELP
        )
    if event is not None and event.within_days is not None:
        raise DesignError.of(f"{where} event: within_days", allowed="horizon_days", then=_HELP)
    if event is not None and horizon is None:
        raise DesignError.of(
            f"{where} horizon_days is missing", allowed="days ahead, for an event", then=_HELP
        )
    if absent and (event is None or amount):
        raise DesignError.of(f"{where} absent = true", allowed="with an event, without amount", then=_HELP)
    if amount and answer is not None and answer.yes:
        raise DesignError.of(f"{where} amount = true", allowed="an answer without yes and no", then=_HELP)
    trained = _days(where, days, horizon if event is not None else None)
    return Question(
        score, outcome, event, answer, amount, absent, horizon, population or EVERYONE, days[0], trained
    )


def ask_settings(settings: Mapping[str, Any]) -> Question:
    """The question of a section, from its settings by name.

    >>> day = datetime.date(2026, 7, 1)
    >>> given = dict(score="x", event=None, answer=None, amount=False, absent=False, horizon_days=None)
    >>> given |= dict(population=None, as_of=day, trained_as_of=None, earlier=[], also_known=[])
    >>> ask_settings(given | {"outcome": "voted"}).purpose
    'the probability of voted'
    """

    def of(*names: str) -> Any:
        return tuple(settings[name] for name in names)

    return ask(
        settings["score"],
        of("outcome", "event", "answer"),
        of("amount", "absent", "horizon_days"),
        settings["population"],
        of("as_of", "trained_as_of", "earlier"),
    )._replace(also_known=tuple(settings["also_known"]))


def _days(where: str, days: tuple[Any, Any, Any], horizon: int | None) -> tuple[datetime.date, ...]:
    as_of, trained, earlier = days
    # An event's window must have closed: without a day of training it is the latest whose window has.
    latest = trained or (as_of - datetime.timedelta(days=horizon) if horizon else as_of)
    if latest > as_of:
        raise DesignError.of(
            f"{where} trained_as_of is after as_of", received=str(latest), allowed=f"up to {as_of}"
        )
    for day in earlier:
        if day >= latest:
            raise DesignError.of(
                f"{where} earlier: a day that is not earlier", received=str(day), allowed=f"before {latest}"
            )
    return (*sorted(set(earlier)), latest)
