"""Twelve weeks of plan, act, wait, learn: the department against the rules of thumb, in a world whose truth is known.

Every week some municipalities vote. On Monday the week's electorate is known, the budget is divided over mail, calls,
doors and texts by what is believed then, lists are drawn with their control groups and accepted. Ballots come in until
Sunday; who voted is posted 13 days after that Monday, and only then is anything measured, and learned.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import flow, stats
from hustings.campaign import FILE, Campaign
from hustings.errors import CampaignError, DesignError
from hustings.plans.budget import divide_budget
from hustings.plans.deciding import decide, open_decisions
from hustings.plans.ledger import measure_decisions
from hustings.season import stages
from hustings.season.stages import COST
from hustings.simulate.season import (
    CHANNELS,
    PAST,
    POSTED_AFTER,
    STARTS_ON,
    VOTES_AFTER,
    Electorate,
    SeasonTruth,
    assigned,
    draw_season,
)
from hustings.stage import describe
from hustings.warehouse import open_published, read

Floats = npt.NDArray[np.float64]

STAGES = tuple(
    describe(one)
    for one in (
        stages.collect_the_week,
        stages.learn_the_week,
        stages.offer_the_week,
        divide_budget,
        stages.list_the_week,
        measure_decisions,
    )
)
BUDGET, LEARNING = 0.3, 0.1
"""A week's money as a share of what everything would cost, and the share of it that is spent on learning."""
RULES = ("never learns", "largest offer", "equal split", "proportional to cost")


class Week(NamedTuple):
    """One week of the season.

    Attributes:
        number: From 1.
        cents: Spent.
        predicted: Added ballots, by what was believed that Monday.
        gain: Added ballots, in truth: known here alone.
        rules: The same of each rule of thumb, for the same money.
    """

    number: int
    cents: float
    predicted: float
    gain: float
    rules: Mapping[str, float]


class Season(NamedTuple):
    """What a season showed.

    Attributes:
        folder: A campaign's folder, with its warehouse: `hustings show ledger`, `hustings brief`.
        weeks: In order.
        ledger: The measured rows of `ledger`, in order.
        excess: Mean of error² - SE² in the first and in the last third of the weeks, in squared points, each decision by
            its precision: small lists would drown the rest.
        plain: The same, all decisions alike.
    """

    folder: Path
    weeks: tuple[Week, ...]
    ledger: tuple[Mapping[str, Any], ...]
    excess: tuple[stats.ledger.Coefficient, stats.ledger.Coefficient]
    plain: tuple[stats.ledger.Coefficient, stats.ledger.Coefficient]

    def ahead(self, rule: str) -> tuple[float, float, float]:
        """Added ballots of the plan less the rule's over the season, with the 95 % interval over its weeks."""
        each = np.array([week.gain - week.rules[rule] for week in self.weeks])
        half = stats.clusters.t_quantile(0.95, each.size - 1) * each.std(ddof=1) * np.sqrt(each.size)
        return float(each.sum()), float(each.sum() - half), float(each.sum() + half)


def run_season(
    folder: Path,
    *,
    weeks: int = 12,
    people: int = 50_000,
    seed: int = 7,
    tell: Callable[[Week], None] = lambda week: None,
) -> Season:
    """A season from the first Monday to the last posted vote, in a folder of its own.

    Args:
        folder: A new or empty folder.
        weeks: Weekly elections, 3 to 52.
        people: Registered voters of each.
        seed: Of the truth, of who votes, and of every draw.
        tell: Told each week when its lists are out.

    Returns:
        What it showed. The plans saw files that had arrived, and tables; never the truth.

    Raises:
        CampaignError: The folder is not empty.
        DesignError: The number of weeks or people is out of its range.
    """
    if not 3 <= weeks <= 52:
        raise DesignError.of("A season of this length", received=weeks, allowed="3 to 52 weeks")
    truth = draw_season(people, seed)
    if folder.exists() and any(folder.iterdir()):
        raise CampaignError.of("The folder is not empty", received=str(folder), then="name another folder")
    (folder / "sources").mkdir(parents=True)
    rules = dict.fromkeys(RULES, 0.0)
    done = []
    for number in range(1, weeks + 1):
        done.append(_week(folder, truth, number, rules))
        tell(done[-1])
    last = _campaign(folder, truth, weeks, as_of=monday(weeks) + datetime.timedelta(POSTED_AFTER + 1))
    _declare(last)
    flow.run(last, stages=STAGES)
    ledger = [row for row in _rows(folder, "ledger") if row["measured"] is not None]
    return Season(
        folder,
        tuple(done),
        tuple(ledger),
        *excesses(ledger, weeks),
    )


def monday(week: int) -> datetime.date:
    """The day on which a week's lists go out.

    >>> monday(2).isoformat()
    '2026-08-10'
    """
    return STARTS_ON + datetime.timedelta(7 * (week - 1))


def _week(folder: Path, truth: SeasonTruth, number: int, rules: dict[str, float]) -> Week:
    """Plan, decide, act; what it leads to goes into files that arrive when it can be known."""
    day, voters = monday(number), truth.electorate(number)
    _write_voters(folder, number, voters, day - datetime.timedelta(1))
    campaign = _campaign(folder, truth, number, as_of=day)
    _declare(campaign)
    flow.run(campaign, stages=STAGES)
    at = datetime.datetime.combine(day, datetime.time(9))
    waiting = [row["decision_id"] for row in open_decisions(campaign)]
    accepted = {one.plan_id for one in decide(campaign, waiting, "accepted", by="the season", at=at)}
    listed = [row for row in _rows(folder, "contact_plan") if row["plan_id"] in accepted]
    out = {row["person_id"] for row in listed if not row["held_out"]}
    reached = np.isin(voters.person_id, np.array(sorted(out), dtype=voters.person_id.dtype))
    _write_votes(folder, number, voters, truth, reached, day)
    budget = _money(truth)
    return Week(
        number,
        float(sum(row["cost_cents"] for row in listed)),
        float(sum(row["added_ballots"] for row in listed if not row["held_out"])),
        truth.expected(number, reached.astype(np.float64)),
        {name: truth.expected(number, _by_rule(name, voters, budget)) for name in rules},
    )


def _money(truth: SeasonTruth) -> int:
    """A week's budget: a share of what it would cost to reach everyone, at 1.65 people in a household."""
    return round(BUDGET * truth.people / len(CHANNELS) / 1.65 * sum(COST.values()))


def _campaign(folder: Path, truth: SeasonTruth, week: int, as_of: datetime.date) -> Campaign:
    day = monday(week)
    return Campaign(
        folder=folder,
        name="Simulated season",
        election_day=day + datetime.timedelta(VOTES_AFTER),
        as_of=as_of,
        place="Simulated state",
        seed=truth.seed * 1_000 + week,
        sections={
            "season": {"week": week, "as_of": day},
            "budget": {
                "budget_cents": _money(truth), "reserve_share": LEARNING, "step_cents": max(_money(truth) // 10, 1),
                "as_of": day, "draws": 500,
            },
        },
    )  # fmt: skip


def _declare(campaign: Campaign) -> None:
    """A campaign.toml with its head, so that `hustings show` and `hustings brief` know the folder."""
    (campaign.folder / FILE).write_text(
        f'[campaign]\nname = "{campaign.name}"\nplace = "{campaign.place}"\n'
        f"election_day = {campaign.election_day}\nas_of = {campaign.as_of}\nseed = {campaign.seed}\n",
        encoding="utf-8",
    )


def _rows(folder: Path, table: str) -> list[dict[str, Any]]:
    lake, _ = open_published(folder / ".hustings")
    with closing(lake):
        rows: list[dict[str, Any]] = read(lake, table).to_pyarrow().to_pylist()
        return rows


def _write_voters(folder: Path, week: int, voters: Electorate, on: datetime.date) -> None:
    n = voters.channel.size
    _write(folder, f"voters-{week:02d}", on, {
        "person_id": voters.person_id, "household_id": voters.household_id,
        "place_id": np.full(n, f"W{week:02d}"), "region_id": np.array(CHANNELS)[voters.channel],
        "share_voted": voters.n_voted / PAST,
    })  # fmt: skip


def _write_votes(
    folder: Path,
    week: int,
    voters: Electorate,
    truth: SeasonTruth,
    reached: npt.NDArray[np.bool_],
    day: datetime.date,
) -> None:
    """The ballots that are in by Sunday, and who voted, as the state posts it."""
    found, n = truth.votes(week, reached), voters.channel.size
    sunday, posted, vote = (day + datetime.timedelta(days) for days in (6, POSTED_AFTER, VOTES_AFTER))
    in_ = voters.person_id[found.returned]
    _write(folder, f"ballots-{week:02d}", sunday, {
        "event_id": np.char.add("B", in_), "person_id": in_,
        "happened_at": np.full(in_.size, np.datetime64(sunday, "us")),
    })  # fmt: skip
    _write(folder, f"voted-{week:02d}", posted, {
        "person_id": voters.person_id, "value": found.voted.astype(np.float64),
        "happened_on": np.full(n, np.datetime64(vote, "D")),
    })  # fmt: skip


def _write(folder: Path, name: str, on: datetime.date, columns: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = len(next(iter(columns.values())))
    arrived = pa.array(np.full(n, np.datetime64(on, "us")))
    table = pa.table({key: pa.array(value) for key, value in columns.items()} | {"arrived_at": arrived})
    pq.write_table(table, folder / "sources" / f"{name}.parquet")


def _by_rule(rule: str, voters: Electorate, budget: float) -> Floats:
    """(n,) the chance that a rule of thumb reaches each person: households at random, money by the rule."""
    first = np.unique(voters.household_id, return_index=True)[1]
    homes = np.bincount(voters.channel[first], minlength=len(CHANNELS))
    size = np.bincount(voters.channel, minlength=len(CHANNELS)) / np.maximum(homes, 1)
    offers = [
        stats.budgets.offer([0, n * COST[name]], [0, n * people * assigned(name)[0]])
        for name, n, people in zip(CHANNELS, homes, size, strict=True)
    ]
    limits = stats.budgets.cash_limits(budget, np.zeros(len(offers)))
    most = np.array([one.cost[-1] for one in offers])
    if rule == "never learns":
        amount = stats.budgets.split_budget(offers, limits).amount
    elif rule == "largest offer":
        amount = stats.budget_draws.largest_first(offers, limits)
    else:
        amount = stats.budget_draws.in_shares(
            offers, limits, most if rule == "proportional to cost" else np.ones(4)
        )
    return np.asarray((amount / most)[voters.channel])


Third = tuple[stats.ledger.Coefficient, stats.ledger.Coefficient]


def excesses(ledger: Sequence[Mapping[str, Any]], weeks: int) -> tuple[Third, Third]:
    """Mean of error² - SE² in the first and the last third of the weeks, by precision, and all decisions alike.

    Args:
        ledger: Measured rows.
        weeks: Of the season.

    Returns:
        In squared points for each person to be reached.
    """
    third = weeks // 3
    found = [
        [
            _excess(ledger, first, last, by_precision=by)
            for first, last in ((1, third), (weeks - third + 1, weeks))
        ]
        for by in (True, False)
    ]
    return (found[0][0], found[0][1]), (found[1][0], found[1][1])


def _excess(
    ledger: Sequence[Mapping[str, Any]], first: int, last: int, *, by_precision: bool
) -> stats.ledger.Coefficient:
    own = [row for row in ledger if first <= int(row["plan_id"][-2:]) <= last]
    per = 100 / np.array([row["n_treated"] for row in own], np.float64)
    told = [per * [row[name] for row in own] for name in ("predicted", "measured", "measured_error")]
    return stats.ledger.excess_error(*told, by_precision=by_precision)
