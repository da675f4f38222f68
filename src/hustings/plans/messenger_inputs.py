"""Affinities, people and days ─► every way to use a messenger: for which audience, where, on which day, at what worth."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.channels.platforms import check_platform
from hustings.errors import DesignError, SettingError
from hustings.plans.reach import willing
from hustings.plans.worth import worth_of
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Pairs(NamedTuple):
    """What is known of each audience and item; (s, m) unless told otherwise.

    Attributes:
        audiences: (s,) labels.
        items: (m,) ids.
        names: (m,) what people call them.
        log_odds: Posterior mean of the log-odds of a response.
        std_error: Its standard deviation.
        shared_error: The part that is the item's own.
        probability: Posterior mean.
        amount: Mean amount of a response, NaN without.
        amount_error: Its error.
        n_sent: Past sends.
        n_responded: Past responses.
        basis: As in `affinities`.
        cold: (m,) whether the item was never sent.
    """

    audiences: list[str]
    items: list[str]
    names: list[str]
    log_odds: Floats
    std_error: Floats
    shared_error: Floats
    probability: Floats
    amount: Floats
    amount_error: Floats
    n_sent: Floats
    n_responded: Floats
    basis: npt.NDArray[Any]
    cold: npt.NDArray[np.bool_]

    def rate(self) -> Floats:
        """(m,) raw rate of response of each item over all sends: its popularity; -1 of one that was never sent."""
        sent = self.n_sent.sum(0)
        return np.where(sent > 0, self.n_responded.sum(0) / np.maximum(sent, 1), -1.0)


class Groups(NamedTuple):
    """People of one audience in one place who may be asked; (g,) each.

    Attributes:
        audience: Number of the audience.
        place: Region's id, or None.
        people: How many.
        turnout: What one more of them who votes is worth, on average, per unit of turnout moved.
        support: What one of them moved to our side is worth, per unit of support moved.
        turnout_votes: The first in votes.
        support_votes: The second in votes.
        worth_error: Relative error of what a vote is worth.
    """

    audience: Integers
    place: npt.NDArray[Any]
    people: Floats
    turnout: Floats
    support: Floats
    turnout_votes: Floats
    support_votes: Floats
    worth_error: Floats


class Uses(NamedTuple):
    """Every way to use a messenger's day; (u,) each.

    Attributes:
        item: Number of the item.
        day: Days from the plan's.
        group: Number of the group.
        people: People asked.
        cost: In cents.
        fixed: Of it, the messenger's own, whomever they meet.
    """

    item: Integers
    day: Integers
    group: Integers
    people: Floats
    cost: Floats
    fixed: Floats


def read_pairs(affinities: Table, affinity: str) -> tuple[Pairs | None, str | None]:
    """The pairs of one affinity, or why there are none.

    Raises:
        DesignError: No such affinity was made.
    """
    rows = arrays(affinities.filter(affinities.affinity == affinity).order_by("audience", "item_id"))
    if not len(rows["item_id"]):
        raise DesignError.of(
            "A plan of messengers rests on an affinity that was not made",
            received=affinity,
            then=f"add [affinities.{affinity}]",
        )
    why = next((reason for reason in rows["reason"] if reason), None)
    if why:
        return None, why
    audience, item = codes(rows["audience"]), codes(rows["item_id"])
    shape = (len(audience.labels), len(item.labels))

    def square(name: str) -> Floats:
        return np.asarray(rows[name], np.float64).reshape(shape)

    names = dict(zip(rows["item_id"], rows["name"], strict=True))
    return Pairs(
        audience.labels,
        item.labels,
        [names[i] or i for i in item.labels],
        square("log_odds"),
        square("std_error"),
        square("shared_error"),
        square("value"),
        square("amount_cents"),
        square("amount_error"),
        square("n_sent"),
        square("n_responded"),
        rows["basis"].reshape(shape),
        np.asarray(rows["cold_start"], bool).reshape(shape)[0],
    ), None


def read_groups(
    people: Table,
    members: Any,
    scores: Table,
    vote_values: Table,
    places: Table,
    audiences: list[str],
    *,
    by_place: bool,
    aim: str,
    race: str,
    as_of: datetime.date,
) -> tuple[Groups | None, str | None]:
    """The people who may be asked, by audience and place, and what moving one of them is worth.

    Net votes of moving turnout by t and support by s are t (2 support - 1) + 2 turnout s; added ballots are t.

    Args:
        people: The table of that name.
        members: Whom the plan may reach, with their audience: `person_id`, `audience`.
        scores: The table of that name: `turnout`, `support`.
        vote_values: The table of that name.
        places: The table of that name.
        audiences: Their labels.
        by_place: Whether regions are planned apart.
        aim: As in `[campaign] aim`; `cents` where gifts are counted.
        race: As in `[campaign] decisive_race`.
        as_of: The day of the scores.

    Returns:
        The groups, or why they cannot be valued: the aim needs a support score and there is none.
    """
    rows = people.select("person_id", "region_id", "place_id").join(members, "person_id")
    for name in ("turnout", "support"):
        told = scores.filter((scores.score == name) & (scores.as_of == as_of))
        rows = rows.left_join(
            told.select("person_id", **{name: told.value}), "person_id", rname="{name}_of_" + name
        )
    found = arrays(rows.order_by("person_id"), "region_id", "place_id", "audience", "turnout", "support")
    audience = codes(found["audience"], audiences).codes
    region = codes(found["region_id"]) if by_place else None
    code = region.codes + 1 if region else np.zeros(audience.size, np.int64)
    label = np.array([None, *(region.labels if region else [])], object)
    key, group = np.unique(audience * label.size + code, return_inverse=True)
    group = group.reshape(-1)
    size = np.bincount(group, minlength=key.size).astype(np.float64)
    turnout, support = (np.asarray(found[name], np.float64) for name in ("turnout", "support"))
    if aim in ("net_votes", "win") and audience.size and not np.isfinite(support).any():
        return None, "nobody has a support score, so no vote can be valued"
    counted = "net_votes" if aim == "cents" else aim
    worth = worth_of(found["place_id"], vote_values, places, aim=counted, race=race)
    ours = np.ones(audience.size) if counted == "added_ballots" else 2 * np.nan_to_num(support, nan=0.5) - 1
    votes = 2 * np.nan_to_num(turnout, nan=float(np.nanmean(turnout)) if np.isfinite(turnout).any() else 0.5)
    votes = np.zeros(audience.size) if counted == "added_ballots" else votes

    def mean(values: Floats) -> Floats:
        return np.bincount(group, values, key.size) / np.maximum(size, 1)

    value = mean(worth.value)
    error = np.divide(mean(worth.std_error), value, out=np.zeros(key.size), where=value > 0)
    return Groups(
        key // label.size, label[key % label.size], size, mean(ours * worth.value), mean(votes * worth.value),
        mean(ours), mean(votes), error,
    ), None  # fmt: skip


def members_of(
    audience_members: Table, people: Table, opt_outs: Table, identities: Table, affinity: str, channel: str
) -> Any:
    """Those of an affinity's people in whose household nobody has refused the channel."""
    own = audience_members.filter(audience_members.affinity == affinity).select("person_id", "audience")
    return own.semi_join(willing(people, opt_outs, identities, {channel}), "person_id")


def read_uses(
    pairs: Pairs,
    groups: Groups,
    items: Table,
    item_days: Table,
    *,
    contact_cents: float,
    first: datetime.date,
    last: datetime.date,
    playbook: str,
    country: str,
) -> tuple[Uses, dict[str, str]]:
    """Every item on each day on which it is to be had, for every group; and why items are left out, by id.

    Args:
        pairs: The audiences and items.
        groups: Whom to ask.
        items: The table of that name.
        item_days: The table of that name.
        contact_cents: Of asking one person.
        first: The first day of the plan.
        last: The first day that is too late.
        playbook: For the platforms' rules.
        country: For the platforms' rules.

    Returns:
        The uses, and reasons.
    """
    rows = arrays(
        items.filter(items.item_id.isin(pairs.items)).order_by("source"),
        "item_id", "cost_cents", "reach", "platform",
    )  # fmt: skip
    told = {name: k for k, name in enumerate(rows["item_id"])}
    cost = np.nan_to_num(np.asarray(rows["cost_cents"], np.float64))
    reach = np.asarray(rows["reach"], np.float64)
    why = {
        name: reason
        for name, k in told.items()
        if (reason := forbidden(rows["platform"][k], playbook, country)) is not None
    }
    wanted = item_days.item_id.isin([name for name in pairs.items if name not in why])
    held = item_days.filter(wanted & (item_days.available_on >= first) & (item_days.available_on < last))
    days = arrays(
        held.select("item_id", "available_on", "place_id").distinct().order_by("item_id", "available_on", "place_id"),
        "item_id", "available_on", "place_id",
    )  # fmt: skip
    item = codes(days["item_id"], pairs.items).codes
    offset = (days["available_on"].astype("datetime64[D]") - np.datetime64(first, "D")).astype(np.int64)
    fits = np.array([[p is None or p == q for q in groups.place] for p in days["place_id"]], bool)
    row, group = np.nonzero(fits.reshape(item.size, len(groups.place)))
    which = np.array([told.get(name, -1) for name in pairs.items])[item[row]]
    people = np.fmin(groups.people[group], reach[which])
    uses = Uses(item[row], offset[row], group, people, cost[which] + contact_cents * people, cost[which])
    for k, name in enumerate(pairs.items):
        if name not in why and not (uses.item == k).any():
            why[name] = (
                f"no day between {first} and {last - datetime.timedelta(1)} is known on which it is to be had"
            )
    return uses, why


def forbidden(platform: str | None, playbook: str, country: str) -> str | None:
    """Why a platform takes no such audience, or None."""
    try:
        check_platform(platform or "", playbook, country)
    except SettingError as error:
        return str(error).split(" Next:")[0].rstrip(".")
    return None
