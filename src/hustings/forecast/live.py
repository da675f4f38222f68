"""The night's returns, or the voters checked off at the polls ─► how it may come out, by region and in all."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.forecast.checked import from_voters
from hustings.forecast.units import Units, from_returns
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec

Floats = npt.NDArray[np.float64]
_INTERVAL = (0.025, 0.975)


@stage(writes="live", section="live", each="night")
def follow_returns(
    returns: Table,
    events: Table | None,
    people: Table | None,
    scores: Table | None,
    *,
    night: str,
    election: Annotated[
        str, About("What is being counted: the `election` of the returns, or the votes' `name`.")
    ],
    ours: Annotated[str, About("Our choice, as the returns call it.")],
    theirs: Annotated[str, About("The choice it is held against; votes for others are left out.")],
    readings: Annotated[
        Literal["returns", "voters"],
        About("`returns`: votes counted; `voters`: who was seen to vote, with turnout and support scores."),
    ] = "returns",
    earlier: Annotated[str, About("Of returns: the earlier election that says what to expect.")] = "",
    earlier_ours: Annotated[str, About("Our choice in it; the same word unless given.")] = "",
    earlier_theirs: Annotated[str, About("The other choice in it; the same word unless given.")] = "",
    expected_share: Annotated[
        float | None,
        About("Our share by the forecast; that of the earlier election unless given.", ge=0.01, le=0.99),
    ] = None,
    expected_error: Annotated[float, About("Its standard error, in shares.", gt=0, le=0.2)] = 0.03,
    expected_votes: Annotated[
        float | None, About("Votes by the forecast; the earlier ones unless given.", gt=0)
    ] = None,
    votes_error: Annotated[float, About("Its standard error, as a share of the votes.", gt=0, le=1)] = 0.1,
    earlier_gaps: Annotated[
        list[float],
        About("Of earlier nights: log-odds swing of the late precincts less that of the early ones."),
    ] = [],  # noqa: B006
    mode_shares: Annotated[
        dict[str, float], About("Votes by way of voting, where the earlier election does not tell.")
    ] = {},  # noqa: B006
    until: Annotated[
        datetime.datetime | None, About("Nothing counted later (UTC) is used: to replay a night.")
    ] = None,
    turnout: Annotated[str, About("Of voters: the score that says who was expected.")] = "turnout",
    support: Annotated[str, About("Of voters: the score that says for whom.")] = "support",
    support_error: Annotated[
        float, About("Of voters: shared error of the support score, in log-odds.", gt=0)
    ] = 0.15,
    share_of_day: Annotated[
        float, About("Of voters: share of the day's voters that usually have come by now.", gt=0, le=1)
    ] = 1.0,
    timing_error: Annotated[float, About("Of voters: its error, on the log scale.", ge=0)] = 0.15,
    place: Annotated[str, About("The whole that is counted.")],
    draws: Annotated[int, About("Simulated ends of the night.", ge=200, le=20000)] = 4000,
    rng: np.random.Generator,
) -> Result:
    """One row for the whole and one for each region; before the first count, what was expected."""
    if until is not None and until.tzinfo is not None:
        until = until.astimezone(datetime.UTC).replace(tzinfo=None)
    if readings == "returns":
        if not earlier:
            raise DesignError.of(
                f"[live.{night}] earlier is missing", allowed="the name of an earlier election"
            )
        elections, names = (election, earlier), (ours, theirs)
        choices = names, (earlier_ours or ours, earlier_theirs or theirs)
        units = from_returns(returns, people, elections, choices, until, mode_shares)
        errors = (0.0, 0.0)
    else:
        units = from_voters(events, people, scores, election, (turnout, support), share_of_day, until)
        errors = (support_error, timing_error)
    share, votes = _shifted(units, expected_share), units.expected.votes
    if expected_votes is not None:
        votes = votes * expected_votes / votes.sum()
    whole = float(votes @ share / votes.sum())
    beliefs = stats.returns.Beliefs(
        swing=expected_error / (whole * (1 - whole)), turnout=votes_error, measured=errors[0], timed=errors[1]
    )
    expected = units.expected._replace(share=share, votes=votes)
    found = stats.returns.follow(
        expected, units.counted, beliefs, earlier_gaps=earlier_gaps, draws=draws, rng=rng
    )
    rows = _rows(units._replace(expected=expected), found, place or "whole")
    n = len(rows["share"])
    fixed = {"night": night, "gap": found.gap, "counted_at": units.until}
    rows |= {name: [value] * n for name, value in fixed.items()}
    return {name: rows[name] for name in spec("live").names}


def _shifted(units: Units, target: float | None) -> Floats:
    """Expected shares moved alike, in log-odds, until together they are the forecast's."""
    from scipy.optimize import brentq
    from scipy.special import expit, logit

    share, votes = units.expected.share, units.expected.votes
    if target is None:
        return share
    shift = brentq(lambda by: votes @ expit(logit(share) + by) / votes.sum() - target, -12, 12)
    return np.asarray(expit(logit(share) + shift), np.float64)


def _rows(units: Units, found: Any, whole: str) -> dict[str, list[Any]]:
    """The whole first, then the regions."""
    region, n_regions = units.expected.region, len(units.regions)

    def summed(values: Floats) -> Floats:
        parts = np.bincount(region, weights=values, minlength=n_regions)
        return np.append(parts.sum(), parts)

    first = np.column_stack([found.first_draws.sum(1), found.first_draws])
    both = np.column_stack([found.both_draws.sum(1), found.both_draws])
    # A region that is done without a vote has no share: half stands for it until it is taken out.
    voted = np.min(both, axis=0) > 0
    share = np.where(voted, first / np.maximum(both, 1e-9), 0.5)
    wins, open_still = (first > both / 2).mean(0), np.ptp(share, axis=0) > 0
    # Where all draws agree, one more may still not.
    near = (wins * len(first) + 1) / (len(first) + 2)
    counted, expected = summed(units.counted.both), summed(units.expected.votes)
    mine = summed(units.counted.first)
    reported = units.counted.reported > 0
    low, high = np.quantile(share, _INTERVAL, axis=0)
    votes_low, votes_high = np.quantile(both, _INTERVAL, axis=0)
    rows: dict[str, list[Any]] = {
        "place_id": [whole, *units.regions],
        "level": ["whole"] + ["place"] * n_regions,
        "n_units": summed(np.ones(region.size)).astype(int).tolist(),
        "n_reported": summed(reported.astype(np.float64)).astype(int).tolist(),
        "share_reported": np.minimum(counted / np.maximum(both.mean(0), 1e-9), 1.0).tolist(),
        "votes_counted": counted.tolist(),
        "counted_share": [float(a / b) if b > 0 else None for a, b in zip(mine, counted, strict=True)],
        "expected_share": (summed(units.expected.votes * units.expected.share) / expected).tolist(),
        "share": share.mean(0).tolist(),
        "std_error": share.std(0, ddof=1).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "p_win": wins.tolist(),
        "p_win_error": np.where(open_still, np.sqrt(near * (1 - near) / len(first)), 0.0).tolist(),
        "votes": both.mean(0).tolist(),
        "votes_low": votes_low.tolist(),
        "votes_high": votes_high.tolist(),
        "reason": [None if some else "counted to the end without a vote" for some in voted],
    }
    for name in ("share", "std_error", "low", "high", "p_win", "p_win_error"):
        rows[name] = [value if some else None for value, some in zip(rows[name], voted, strict=True)]
    return rows
