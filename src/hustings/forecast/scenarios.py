"""The forecast, if something were known: "if we win Ohio by 2"."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from hustings import stats
from hustings.errors import SettingError
from hustings.forecast.restored import Forecast, restore
from hustings.forecast.shares import shares_of
from hustings.stage import About, Result, Table, stage


@stage(writes="scenarios", each="scenario")
def suppose(
    forecast: Table,
    forecast_leads: Table,
    forecast_covariances: Table,
    odds: Table,
    *,
    scenario: str,
    rng: np.random.Generator,
    race: Annotated[str, About("The race: a `[races.…]` section.")],
    margins: Annotated[
        dict[str, float], About("Our margin in points by place: `{ OH = 2 }`; below 0 it is lost.")
    ] = {},  # noqa: B006
    won: Annotated[list[str], About("Contests that are won.")] = [],  # noqa: B006
    lost: Annotated[list[str], About("Contests that are lost.")] = [],  # noqa: B006
    draws: Annotated[
        int, About("Simulated elections before the supposition.", ge=1000, le=1_000_000)
    ] = 66_000,
) -> Result:
    """One row for each place: its share and chances then, and before."""
    known = restore(race, forecast, forecast_leads, forecast_covariances, odds)
    if not (margins or won or lost):
        raise SettingError.of(f"[scenarios.{scenario}] supposes nothing", allowed="margins, won or lost")
    then = _given(known, scenario, margins)
    found = then.draws(rng, draws)
    names = [known.tree.ids[place] for place in known.contests.places]
    agree = stats.scenarios.given_winners(found, *(_numbers(x, names, scenario) for x in (won, lost)))
    chance = stats.races.win_probability(found.won[agree])
    shares = shares_of(
        known.tree, known.votes, then.mean, then.covariance, threshold=known.odds["threshold"], rng=rng
    )
    carried = {name: float(found.carried[agree, i].mean()) for i, name in enumerate(names)}
    whole = known.odds["place_id"]
    by_draws = bool(won or lost)
    quantiles = _among(known, found, agree, names) if by_draws else {}
    columns: dict[str, list[Any]] = {}
    for i, place in enumerate(known.tree.ids):
        low, middle, high = quantiles.get(place, tuple(shares.quantiles[[0, 2, 4], i]))
        told = not by_draws or place in quantiles
        row = {
            "scenario": scenario,
            "race": race,
            "place_id": place,
            "supposed": _words(margins, won, lost),
            "p_win": (carried.get(place) if by_draws else shares.p_win[i]),
            "p_win_before": known.places[place]["p_win"],
            "p_race": chance.value if place == whole else None,
            "p_race_error": chance.error if place == whole else None,
            "p_race_before": known.odds["p_win"] if place == whole else None,
            **dict(zip(("low", "share", "high"), (low, middle, high) if told else [None] * 3, strict=True)),
            "n_draws": int(agree.sum()),
        }
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns


def _given(known: Forecast, scenario: str, margins: dict[str, float]) -> Forecast:
    if not margins:
        return known
    if len(known.rivals) > 1:
        raise SettingError.of(
            f"[scenarios.{scenario}] margins", received="several rivals", allowed="won or lost, or one rival"
        )
    places = _numbers(list(margins), list(known.tree.leaves), scenario)
    leads = [stats.scenarios.lead_of_margin(points / 100) for points in margins.values()]
    mean, covariance = stats.scenarios.given_leads(known.mean[:, 0], known.covariance, places, leads)
    return known._replace(mean=mean[:, None], covariance=covariance)


def _numbers(names: list[str], known: list[str], scenario: str) -> list[int]:
    for name in names:
        if name not in known:
            raise SettingError.unknown(
                f"[scenarios.{scenario}]: there is no", name, known, "hustings show forecast"
            )
    return [known.index(name) for name in names]


def _among(
    known: Forecast, found: stats.races.Outcomes, agree: Any, names: list[str]
) -> dict[str, tuple[float, float, float]]:
    """Low, middle and high of our share in the contests of two, among the draws that agree."""
    if len(known.rivals) > 1:
        return {}
    bar = known.contests.race.threshold or 0.5
    lead = found.leads[agree, :, 0].astype(np.float64) + np.log(bar / (1 - bar))
    low, middle, high = 1 / (1 + np.exp(-np.quantile(lead, (0.025, 0.5, 0.975), axis=0)))
    return {name: (float(low[i]), float(middle[i]), float(high[i])) for i, name in enumerate(names)}


def _words(margins: dict[str, float], won: list[str], lost: list[str]) -> str:
    told = [
        f"{place} is {'won' if points >= 0 else 'lost'} by {abs(points):g} points"
        for place, points in margins.items()
    ]
    told += [f"{place} is won" for place in won] + [f"{place} is lost" for place in lost]
    return ", ".join(told)
