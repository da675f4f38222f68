"""Friends in the simulated state: who knows whom, who consented, and a test of asks at a special election.

People know others of their precinct, their age and their household more often than strangers; a few know very many.
In the test, friends' households were drawn: of some the supporter was to ask, of the others not. What an ask does is
known, and stands beside.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hustings.simulate import files
from hustings.simulate.elections import LOADED_ON
from hustings.simulate.part import Drawn, Part

TIES = "sources/ties.csv"
ASKS = "sources/friend_asks.csv"
SPECIAL = "sources/special_election.csv"
TRUTH = "truth-friends.parquet"
OFFERED_ON = datetime.date(2026, 4, 20)
SPECIAL_ON = datetime.date(2026, 5, 5)
TOLD_ON = datetime.date(2026, 6, 1)
_SUPPORTERS, _MEAN_TIES, _MOST_TIES = 0.03, 12.0, 2_000
_PLACE, _AGE, _HOME = 0.5, 0.25, 0.05
"""Shares of the ties that are of one precinct, of one age anywhere, and of one household."""
_CONSENT, _WITHDRAWN, _STRANGERS = 0.85, 0.02, 0.005
_IN_TEST, _PER_TEST = 0.5, 6
_EFFECT = 0.12
"""What an ask that is made adds to the probability of voting of someone who is undecided whether to vote and known
half as well as possible."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_TEXT = Template("""\
# ── friends who ask friends ────────────────────────────────────────────────────────────────────────

[sources.ties] # whom supporters know, and what they consented to
path = "sources/ties.csv"
people_from = "voters"
arrived_on = $loaded_on

[[sources.ties.ties]]
record_id = "supporter"
other_id = "friend"
purpose = { constant = "ask" }
closeness = "closeness"
consented_on = { column = "consented", date = "%Y-%m-%d" }
withdrawn_on = { column = "withdrawn", date = "%Y-%m-%d" }

[sources.friend_asks] # a test at the special election: whom supporters were to ask, drawn by household
path = "sources/friend_asks.csv"
people_from = "voters"
arrived_on = $told_on

[[sources.friend_asks.friend_asks]]
record_id = "supporter"
other_id = "friend"
action = { constant = "spring_ask" }
offered_on = { constant = $offered_on }
made_on = { column = "made", date = "%Y-%m-%d" }
where = { column = "arm", is = ["asked"] }

[[sources.friend_asks.record_assignments]]
record_id = "friend"
experiment = { constant = "friends" }
arm = "arm"
assigned_on = { constant = $offered_on }
contacted = "contacted"

[sources.special_election]
path = "sources/special_election.csv"
people_from = "voters"
arrived_on = $told_on

[[sources.special_election.record_outcomes]]
record_id = "friend"
outcome = { constant = "voted_special" }
value = "voted"
happened_on = { constant = $special_on }

[experiments.friends]
unit = "household"
control = "control"
measured_by = ["voted_special"]

[evidence.outcomes] # votes of the special election are votes
voted = "voted"
support = "support"
voted_special = "voted"

[actions.ask_a_friend]
experiment = "friends"
arm = "asked"
channel = "friend"

[sharing_plan.friends] # which supporter asks which friend
action = "ask_a_friend"
outcome = "voted_special"
""")


class Known(NamedTuple):
    """Ties: who knows whom; all (n,).

    Attributes:
        supporter: Number of the person whose tie it is.
        friend: Number of the other.
        closeness: How well they know each other, 0 to 1.
    """

    supporter: Ints
    friend: Ints
    closeness: Floats


def draw_ties(drawn: Drawn, supporters: Ints, rng: np.random.Generator) -> Known:
    """Whom some people know.

    Args:
        drawn: The simulated state.
        supporters: Numbers of the people.
        rng: Source of randomness.

    Returns:
        Each tie once, none to oneself; the number of ties is log-normal.
    """
    n, world = drawn.world.place.size, drawn.world
    most = min(_MOST_TIES, n // 20)
    degree = np.exp(np.log(_MEAN_TIES) - 0.5 + rng.standard_normal(supporters.size))
    who = np.repeat(supporters, np.clip(degree.round(), 1, most).astype(np.int64))
    kind = rng.random(who.size)
    by_age = np.argsort(world.age, kind="stable")
    rank = np.empty(n, np.int64)
    rank[by_age] = np.arange(n)
    near = np.round(rank[who] + n / 100 * rng.standard_normal(who.size)).astype(np.int64)
    friend = np.select(
        [kind < _HOME, kind < _HOME + _PLACE, kind < _HOME + _PLACE + _AGE],
        [
            _within(world.household, who, rng),
            _within(world.place, who, rng),
            by_age[np.clip(near, 0, n - 1)],
        ],
        rng.integers(0, n, who.size),
    )
    once = np.unique(who * n + friend)
    who, friend = once // n, once % n
    who, friend = who[who != friend], friend[who != friend]
    closeness = rng.beta(1.5 + (world.place[who] == world.place[friend]), 2.5)
    return Known(who, friend, np.round(closeness, 2))


def _within(group: Ints, who: Ints, rng: np.random.Generator) -> Ints:
    """Somebody of the same group; groups stand together."""
    size = np.bincount(group)
    first = np.cumsum(size) - size
    own = group[who]
    return np.asarray(first[own] + np.floor(rng.random(who.size) * size[own]), np.int64)


def _declare(people: int) -> str:
    """The sources, the test, the action and the plan."""
    return _TEXT.substitute(
        loaded_on=LOADED_ON, told_on=TOLD_ON, offered_on=OFFERED_ON, special_on=SPECIAL_ON
    )


def _write(folder: Path, drawn: Drawn, rng: np.random.Generator) -> None:
    """Ties, the test and its outcome as files, and the truth."""
    n = drawn.world.place.size
    appetite = np.log(drawn.politics.p_help) + rng.gumbel(size=n)
    supporters = np.sort(np.argsort(-appetite)[: max(20, round(_SUPPORTERS * n))])
    known = draw_ties(drawn, supporters, rng)
    diligence = rng.beta(3.0, 3.0, supporters.size)
    _write_csv(folder / TIES, _tie_columns(drawn, known, rng))
    pick = _in_test(drawn, supporters, known, rng)
    who, friend = known.supporter[pick], known.friend[pick]
    asked = (rng.random(int(drawn.world.household.max()) + 1) < 0.5)[drawn.world.household[friend]]
    made = asked & (rng.random(pick.size) < diligence[np.searchsorted(supporters, who)])
    p_special = 1 / (1 + np.exp(1.2 - drawn.world.trait))
    effect = 4 * p_special * (1 - p_special) * _EFFECT
    own = effect[friend] * (0.5 + known.closeness[pick])
    voted = rng.random(pick.size) < p_special[friend] + np.where(made, own, 0.0)
    day = np.datetime64(OFFERED_ON, "D") + rng.integers(1, 14, pick.size).astype("timedelta64[D]")
    _write_csv(
        folder / ASKS,
        {
            "supporter": drawn.ids.take(pa.array(who)),
            "friend": drawn.ids.take(pa.array(friend)),
            "arm": files.pick(["control", "asked"], asked),
            "contacted": files.pick(["no", "yes"], made),
            "made": _days(day, made),
        },
    )
    _write_csv(
        folder / SPECIAL,
        {"friend": drawn.ids.take(pa.array(friend)), "voted": files.pick(["0", "1"], voted)},
    )
    truth = {"voter_id": drawn.ids, "p_special": p_special, "effect_of_an_ask": effect}
    rate = np.full(n, np.nan)
    rate[supporters] = diligence
    pq.write_table(pa.table(truth | {"p_asks": rate}), folder / TRUTH, compression="zstd")


def _in_test(drawn: Drawn, supporters: Ints, known: Known, rng: np.random.Generator) -> Ints:
    """Ties of the test: half of the supporters, each with a few friends, no friend twice, nobody of one's home."""
    home = drawn.world.household
    joins = supporters[rng.random(supporters.size) < _IN_TEST]
    order = rng.permutation(known.supporter.size)
    order = order[np.isin(known.supporter[order], joins)]
    order = order[home[known.supporter[order]] != home[known.friend[order]]]
    order = np.sort(order[np.unique(known.friend[order], return_index=True)[1]])
    who = known.supporter[order]
    begins = np.flatnonzero(np.diff(who, prepend=-1))
    place = np.arange(who.size) - np.repeat(begins, np.diff(np.append(begins, who.size)))
    return order[place < _PER_TEST]


def _tie_columns(drawn: Drawn, known: Known, rng: np.random.Generator) -> dict[str, pa.Array]:
    n = known.supporter.size
    consents = rng.random(n) < _CONSENT
    day = np.datetime64(OFFERED_ON, "D") + rng.integers(0, 60, n).astype("timedelta64[D]")
    friend = np.array(drawn.ids.take(pa.array(known.friend)).to_pylist(), dtype=object)
    friend[rng.random(n) < _STRANGERS] = "X0000000"
    return {
        "supporter": drawn.ids.take(pa.array(known.supporter)),
        "friend": pa.array(_told_apart(friend), pa.string()),
        "closeness": pa.array(known.closeness).cast(pa.string()),
        "consented": _days(day, consents),
        "withdrawn": _days(day + np.timedelta64(7, "D"), consents & (rng.random(n) < _WITHDRAWN)),
    }


def _told_apart(friend: NDArray[np.object_]) -> list[str]:
    """Strangers, who are nobody of the voter file, with ids of their own."""
    strange = np.flatnonzero(friend == "X0000000")
    friend[strange] = [f"X{number:07d}" for number in range(1, strange.size + 1)]
    return list(friend)


def _days(day: NDArray[np.datetime64], there: NDArray[np.bool_]) -> pa.Array:
    return pc.fill_null(pc.strftime(pa.array(day, mask=~there), "%Y-%m-%d"), "")


def _write_csv(path: Path, columns: dict[str, pa.Array]) -> None:
    path.write_bytes(files.as_bytes(columns, ",", files.lines(columns, ",")))


FRIENDS = Part((TIES, ASKS, SPECIAL, TRUTH), _write, _declare)
"""Supporters' ties, and a test of asks."""
