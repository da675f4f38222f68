"""Gains and limits ─► who gets what, at prices that those held out are chosen by, too."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.choices import Action, Booleans, Floats, Integers, by_lot

_ALL: Floats = np.zeros(0)
_MARGIN = 1e-3
"""Gains so near to a price, in its units, are taken for alike."""


class Limits(NamedTuple):
    """What a plan has to keep to.

    Attributes:
        budget: In cents.
        minutes: Of callers and canvassers, by channel.
        cap: (h,) contacts of each household.
        turf: (h,) code of the place where its doors are counted, -1 for none.
        capacity: (t,) doors of each place; empty where they are not limited.
        smallest: Doors below which a place is not walked.
        must: Actions whose list may not be empty.
    """

    budget: float
    minutes: dict[str, float]
    cap: Integers
    turf: Integers
    capacity: Integers
    smallest: int
    must: tuple[int, ...]

    def of(self, rows: Booleans, share: float = 1.0) -> Limits:
        """The same for some households; a share of them is given the same share of everything."""
        if share == 1.0:
            return self._replace(cap=self.cap[rows], turf=self.turf[rows])
        return self._replace(
            budget=self.budget * share,
            minutes={channel: limit * share for channel, limit in self.minutes.items()},
            cap=self.cap[rows],
            turf=self.turf[rows],
            capacity=np.round(self.capacity * share).astype(np.int64),
            smallest=round(self.smallest * share),
            must=(),
        )


class Chosen(NamedTuple):
    """Who gets what.

    Attributes:
        contact: (h, f) numbers of the actions of each household of the plan, best first, or -1.
        held_out: (h,) whether the household is in the control group and would be contacted.
        price: (a,) gain that one unit of each action must bring.
        turf_price: (h,) what a door must bring besides, where each household lives.
        spent: In cents.
        used: What is taken of each limit, and how much there is.
        gap: No plan within the limits is predicted to gain more than this share more.
        closed: Actions left out, since their list would be shorter than its minimum.
        at_margin: (a,) share that is taken of those whose gain is the price itself: many are alike.
    """

    contact: Integers
    held_out: Booleans
    price: Floats
    turf_price: Floats
    spent: float
    used: dict[str, tuple[float, float]]
    gap: float
    closed: tuple[int, ...] = ()
    at_margin: Floats = _ALL

    @property
    def action(self) -> Integers:
        """(h,) the first action of each household."""
        return self.contact[:, 0]

    def emptied(self) -> Chosen:
        """The same, with nobody in it."""
        none = np.zeros_like(self.held_out)
        return self._replace(contact=np.full_like(self.contact, -1), held_out=none)


def on_time(actions: list[Action], as_of: datetime.date, election_day: datetime.date) -> Booleans:
    """(a,) whether an action's day is still to come, and before the polls close.

    >>> letter = Action("a", "", "mail", 1.0, "household", True, None, sent_on=datetime.date(2026, 8, 1))
    >>> on_time([letter], datetime.date(2026, 8, 2), datetime.date(2026, 8, 4)).tolist()
    [False]
    """
    return np.array([a.sent_on is None or as_of <= a.sent_on <= election_day for a in actions], bool)


def choose(gain: Floats, may: Booleans, actions: list[Action], limits: Limits, held: Booleans) -> Chosen:
    """The contacts that gain most within the limits; control households are chosen by the same prices.

    Only households that will be contacted are paid for, so the prices are found among them.

    Args:
        gain: (h, a) what each action gains by each household.
        may: (h, a) whether the household may get it.
        actions: The plan's actions.
        limits: What the plan keeps to.
        held: (h,) whether the household is in the control group.
    """
    gain = by_lot(gain)
    solve = _by_one_price if _only_money(actions, limits) else _by_prices
    found = solve(gain[~held], may[~held], actions, limits.of(~held))
    turf_price = np.zeros(len(gain))
    if found.turf_price.size:
        turf_price = np.append(found.turf_price, 0.0)[limits.turf]
    contact = np.full((len(gain), found.contact.shape[1]), -1)
    contact[~held] = found.contact
    found = found._replace(contact=contact, turf_price=turf_price)
    if solve is _by_prices:
        found = found._replace(at_margin=_share_at_margin(gain, may, actions, found, ~held))
    if held.any():
        open_to = may[held] & ~np.isin(np.arange(len(actions)), found.closed)
        own = replies(gain[held], open_to, actions, found, turf_price[held], limits.cap[held])
        contact[held] = own[:, : contact.shape[1]]
    return found._replace(contact=contact, held_out=held & (contact[:, 0] >= 0))


def replies(
    gain: Floats, may: Booleans, actions: list[Action], found: Chosen, turf_price: Floats, cap: Integers
) -> Integers:
    """(h, f) what each household gets at a plan's prices: the best contacts above them, one of a kind, up to its cap.

    Of those whose gain is the price itself, by lot, the share that the plan takes.
    """
    charge = _charge(actions, found, turf_price)
    net = np.where(may & (gain > 0), gain - charge, -np.inf)
    if found.at_margin.size:
        alike = np.abs(net) <= _MARGIN * charge
        lucky = np.random.default_rng(0).random((len(net), 1)) < found.at_margin
        above = np.maximum(net, 1e-3 * _MARGIN * charge)
        net = np.where(alike, np.where(lucky, above, -np.inf), net)
    for columns in kinds_of(actions):
        if len(columns) > 1:
            best = net[:, columns].max(axis=1, keepdims=True)
            first = (net[:, columns] == best).cumsum(axis=1) == 1
            net[:, columns] = np.where(first & (net[:, columns] == best), net[:, columns], -np.inf)
    width = max(1, min(int(cap.max(initial=1)), len(actions)))
    order = np.argsort(-net, axis=1, kind="stable")[:, :width]
    taken = (np.take_along_axis(net, order, axis=1) > 0) & (np.arange(width) < cap[:, None])
    return np.where(taken, order, -1)


def _charge(actions: list[Action], found: Chosen, turf_price: Floats) -> Floats:
    """(h, a) what one unit of each action must bring where each household lives."""
    doors = np.array([action.channel == "door" for action in actions])
    return np.asarray(found.price + doors * turf_price[:, None], np.float64)


def _share_at_margin(
    gain: Floats, may: Booleans, actions: list[Action], found: Chosen, free: Booleans
) -> Floats:
    """(a,) share that the plan takes of the households whose gain is the price itself."""
    charge = _charge(actions, found, found.turf_price[free])
    alike = may[free] & (gain[free] > 0) & (np.abs(gain[free] - charge) <= _MARGIN * charge)
    got = np.stack([(found.contact[free] == j).any(axis=1) for j in range(len(actions))], axis=1)
    return np.asarray((alike & got).sum(axis=0) / np.maximum(alike.sum(axis=0), 1), np.float64)


def kinds_of(actions: list[Action]) -> list[list[int]]:
    """The actions of each kind.

    >>> a = Action("a", "", "mail", 1.0, "household", True, None, kind="letter")
    >>> kinds_of([a, a._replace(name="b"), a._replace(name="c", kind="")])
    [[0, 1], [2]]
    """
    found: dict[str, list[int]] = {}
    for j, action in enumerate(actions):
        found.setdefault(f"kind {action.kind}" if action.kind else f"action {action.name}", []).append(j)
    return list(found.values())


def _only_money(actions: list[Action], limits: Limits) -> bool:
    """Whether the budget is all that binds: then one sorted list is the best plan."""
    free = all(a.most is None and not a.smallest for a in actions)
    one = bool((limits.cap == 1).all()) and not limits.capacity.size and not limits.must
    return free and one and not any(a.channel in limits.minutes for a in actions)


def _by_one_price(gain: Floats, may: Booleans, actions: list[Action], limits: Limits) -> Chosen:
    cost = np.array([action.cost for action in actions])
    found = stats.allocation.choose_one(gain, cost, limits.budget, allowed=may)
    used = {"budget": (found.spent, limits.budget)}
    return Chosen(
        found.action[:, None],
        np.zeros(0, bool),
        found.price * cost,
        np.zeros(0),
        found.spent,
        used,
        found.gap,
    )


def _by_prices(gain: Floats, may: Booleans, actions: list[Action], limits: Limits) -> Chosen:
    cost = np.array([action.cost for action in actions])
    shared = [stats.contacts.Shared("the budget", cost, limits.budget)]
    for channel, minutes in limits.minutes.items():
        per_unit = [a.minutes if a.channel == channel else 0.0 for a in actions]
        shared.append(stats.contacts.Shared(f"minutes of {channel}", per_unit, minutes))
    for j, action in enumerate(actions):
        if action.most is not None:
            one = np.arange(len(actions)) == j
            shared.append(stats.contacts.Shared(f"units of {action.name}", one.astype(float), action.most))
    doors = [j for j, a in enumerate(actions) if a.channel == "door"]
    turfs = None
    if limits.capacity.size and doors:
        turfs = stats.contacts.Turfs(doors, limits.turf, limits.capacity, limits.smallest)
    kind: Integers = np.zeros(len(actions), np.int64)
    for number, columns in enumerate(kinds_of(actions)):
        kind[columns] = number
    worth = np.where(may & (gain > 0), gain, -np.inf)
    found = stats.contacts.plan_contacts(
        worth, shared, turfs=turfs, kind=kind, cap=limits.cap,
        smallest=[a.smallest for a in actions], must=limits.must, names=[a.name for a in actions],
    )  # fmt: skip
    usage = np.array([np.asarray(one.usage, np.float64) for one in shared])
    used = {one.name: (float(u), float(one.limit)) for one, u in zip(shared, found.used, strict=True)}
    if turfs is not None:
        used["doors"] = (float(found.turf_used.sum()), float(limits.capacity.sum()))
    return Chosen(
        found.contact, np.zeros(0, bool), found.price @ usage, found.turf_price, float(found.used[0]), used, found.gap,
        found.closed,
    )  # fmt: skip


def check_must(actions: list[Action], must: list[str], where: str) -> tuple[int, ...]:
    """The numbers of the actions that must be done.

    Raises:
        DesignError: One is not among the plan's actions.
    """
    names = [action.name for action in actions]
    for name in must:
        if name not in names:
            raise DesignError.unknown(
                f"{where} must: no action of the plan", name, names, "edit campaign.toml"
            )
    return tuple(names.index(name) for name in must)
