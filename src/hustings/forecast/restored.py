"""The tables of one forecast ─► the race, its leads and their covariance, as arrays again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hustings import stats
from hustings.errors import SettingError
from hustings.forecast.history import inside
from hustings.forecast.tree import Contests, Tree, contests_of, plant
from hustings.stats.races import FloatArray, Outcomes

Rows = list[dict[str, Any]]


class Forecast(NamedTuple):
    """One race as it was forecast.

    Attributes:
        tree: The places.
        contests: The race.
        votes: (p,) votes expected in each leaf.
        mean: (p, r) expected leads.
        covariance: (p r, p r) of them.
        rivals: Whom they are over.
        odds: The row of `odds` of the forecast.
        places: Rows of `forecast` by place.
    """

    tree: Tree
    contests: Contests
    votes: FloatArray
    mean: FloatArray
    covariance: FloatArray
    rivals: tuple[str, ...]
    odds: dict[str, Any]
    places: dict[str, dict[str, Any]]

    def draws(self, rng: np.random.Generator, n: int) -> Outcomes:
        """Joint draws of the race."""
        return stats.races.simulate(
            self.contests.race, *inside(self.contests, self.mean, self.covariance), rng=rng, draws=n
        )


def restore(race: str, forecast: Any, leads: Any, covariances: Any, odds: Any) -> Forecast:
    """One race's forecast from its tables.

    Args:
        race: Which.
        forecast: The table `forecast`.
        leads: The table `forecast_leads`.
        covariances: The table `forecast_covariances`.
        odds: The table `odds`.

    Returns:
        The forecast.

    Raises:
        SettingError: There is no such race.
    """
    places = _rows(forecast, race)
    if not places:
        known = sorted(set(odds.select("race").to_pyarrow().column("race").to_pylist()))
        raise SettingError.unknown("No such race", race, known, "hustings settings")
    told = next(row for row in _rows(odds, race) if row["estimator"] == "forecast")
    rivals = tuple(told["rivals"].split(", "))
    tree = plant(places)
    by_place = {row["place_id"]: row for row in places}
    votes = np.array([by_place[place]["votes"] for place in tree.leaves])
    index = {
        (place, rival): i for i, (place, rival) in enumerate((p, r) for p in tree.leaves for r in rivals)
    }
    mean = np.zeros(len(index))
    for row in _rows(leads, race):
        mean[index[row["place_id"], row["rival"]]] = row["lead"]
    spread = _matrix(covariances.filter(covariances.race == race), index)
    contests = contests_of(
        tree,
        votes,
        told["rule"],
        place=told["place_id"],
        needed=_needed(told),
        threshold=told["threshold"],
        divisors=told["divisors"] or "d_hondt",
    )
    return Forecast(tree, contests, votes, mean.reshape(-1, len(rivals)), spread, rivals, told, by_place)


def _rows(table: Any, race: str) -> Rows:
    found: Rows = table.filter(table.race == race).to_pyarrow().to_pylist()
    return found


def _needed(odds: dict[str, Any]) -> float | None:
    return None if odds["needed"] is None else float(odds["needed"])


def _matrix(rows: Any, index: dict[tuple[str, str], int]) -> FloatArray:
    columns = rows.to_pyarrow()

    def codes(place: str, rival: str) -> list[int]:
        names: Sequence[tuple[str, str]] = list(
            zip(columns.column(place).to_pylist(), columns.column(rival).to_pylist(), strict=True)
        )
        return [index[name] for name in names]

    row, column = codes("place_id", "rival"), codes("other_id", "other_rival")
    found = np.zeros((len(index), len(index)))
    found[row, column] = found[column, row] = columns.column("covariance").to_numpy()
    return found
