"""What people did when X was the sender or host ─► how likely each audience is to respond to each item.

A pair that was tried is told by its own counts, drawn to what audience and item say; one that was not by what people
of the audience took to besides, by who the item's fans are, and by how items differ at all.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.affinities.audiences import divide, fan_lifts
from hustings.affinities.checks import check
from hustings.affinities.history import read_items, read_sends, read_tastes
from hustings.affinities.learning import Known, counts, learn
from hustings.errors import DesignError
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import count

Floats = npt.NDArray[np.float64]


@stage(writes=("affinities", "audience_members", "affinity_checks", "affinity_values"), each="affinity")
def fit_affinities(
    people: Table,
    identities: Table,
    events: Table,
    scores: Table,
    items: Table,
    item_audiences: Table,
    record_sends: Table,
    *,
    affinity: str,
    outcome: Annotated[
        str, About("The kind of event that counts as a response: `click`, `gift`, `came`, … .")
    ],
    item_kinds: Annotated[list[str], About("Kinds of items: `messenger`, `message`, … .")] = ["messenger"],  # noqa: B006
    tastes: Annotated[
        list[str],
        About("Kinds of events that tell what people take to besides; the outcome's own never does."),
    ] = ["click", "gift", "came", "share", "listen"],  # noqa: B006
    by: Annotated[
        list[str], About("What divides people into audiences: `age`, `sex`, `party`, `region`.")
    ] = ["age", "sex"],  # noqa: B006
    ages: Annotated[list[int], About("Where age bands begin, after the youngest.")] = [30, 45, 65],  # noqa: B006
    score_cuts: Annotated[
        dict[str, list[float]], About("Scores that divide audiences too, and where their bands begin.")
    ] = {},  # noqa: B006
    fewest_people: Annotated[int, About("Audiences of fewer people are put together.", ge=1)] = 50,
    horizon_days: Annotated[int, About("Days from a send on within which a response counts.", ge=1)] = 7,
    rank: Annotated[int, About("Of the factors of tastes.", ge=1, le=256)] = 8,
    fewest_recipients: Annotated[
        float, About("Effective recipients below which the log tells nothing of another way.", ge=2)
    ] = 200.0,
    as_of: Annotated[datetime.date, About("The day; nothing of that day counts yet.")],
    rng: np.random.Generator,
) -> Result:
    """Probabilities with intervals, who is in which audience, and both checks."""
    named = read_items(items, item_kinds, as_of)
    if not named:
        raise DesignError.of(
            f"[affinities.{affinity}] has no items",
            received=item_kinds,
            then="add a source with a block items",
        )
    ids = list(named)
    audiences = divide(people, scores, by, ages, score_cuts, as_of, fewest_people)
    sends = read_sends(
        record_sends, identities, events, audiences.person_id, ids, outcome, horizon_days, as_of
    )
    lifts, sides = fan_lifts(audiences, item_audiences.filter(item_audiences.item_id.isin(ids)), ids)
    others = [kind for kind in tastes if kind != outcome]
    known = Known(
        audiences,
        ids,
        sends,
        read_tastes(events, audiences.person_id, ids, others, as_of),
        lifts,
        sides,
        rank,
    )
    found = learn(known, np.ones(len(audiences.member), bool), rng)
    why = None if found else _why_nothing(known, count(record_sends), outcome, horizon_days)
    judged, values = check(known, fewest_recipients, rng) if found else ([], [])
    common = {"affinity": affinity, "as_of": as_of}
    return {
        "affinities": _rows(known, named, found, common | {"outcome": outcome}, why),
        "audience_members": {
            "affinity": [affinity] * len(audiences.member),
            "person_id": audiences.person_id,
            "audience": np.array(audiences.labels, object)[audiences.member],
        },
        "affinity_checks": _columns("affinity_checks", [common | row for row in judged]),
        "affinity_values": _columns("affinity_values", [common | row for row in values]),
    }


def _why_nothing(known: Known, n_rows: int, outcome: str, horizon_days: int) -> str:
    if not n_rows:
        return "no send was logged: a source with a block record_sends is missing"
    if not known.sends.item.size:
        return f"no send of these items to a known person is {horizon_days} days old"
    return f"nobody responded with {outcome!r}: is the outcome spelt as in the events?"


def _amounts(known: Known) -> stats.affinity.Amounts:
    s, m = known.lifts.shape
    sends = known.sends
    paid = sends.responded & np.isfinite(sends.amount) & (sends.amount > 0)
    cell = known.audiences.member[sends.person[paid]] * m + sends.item[paid]
    sums = [np.bincount(cell, sends.amount[paid] ** k, s * m).reshape(s, m) for k in (1, 2, 0)]
    return stats.affinity.shrink_amounts(*sums)


def _rows(
    known: Known,
    named: dict[str, str],
    found: stats.affinity.Affinity | None,
    common: dict[str, Any],
    why: str | None,
) -> dict[str, Any]:
    s, m = known.lifts.shape
    n, y = counts(known, np.ones(known.sends.item.size, bool))
    audience, item = np.divmod(np.arange(s * m), m)
    cold = n.sum(0) == 0
    fans = np.abs(known.sides).sum(1) > 0 if known.sides.shape[1] else np.zeros(m, bool)
    liked = np.asarray(known.tastes.sum(axis=0)).ravel() > 0
    basis = np.where(liked, "tastes", np.where(fans, "fans", "like items")).astype(object)[item]
    basis = np.where(n.ravel() > 0, "sends", basis)
    nothing = np.full(s * m, None)
    numbers: dict[str, Any] = dict.fromkeys(
        ("value", "low", "high", "log_odds", "std_error", "shared_error", "amount_cents", "amount_error"),
        nothing,
    )
    if found is not None:
        amounts = _amounts(known)
        numbers = {
            "value": found.probability.ravel(),
            "low": found.low.ravel(),
            "high": found.high.ravel(),
            "log_odds": found.log_odds.ravel(),
            "std_error": found.std_error.ravel(),
            "shared_error": np.minimum(found.item_error[item], found.std_error.ravel()),
            "amount_cents": _known(amounts.mean),
            "amount_error": _known(amounts.std_error),
        }
    rows = numbers | {
        "audience": np.array(known.audiences.labels, object)[audience],
        "item_id": np.array(known.items, object)[item],
        "name": np.array([named[i] for i in known.items], object)[item],
        "n_sent": n.ravel().astype(np.int64),
        "n_responded": y.ravel().astype(np.int64),
        "n_people": known.audiences.size[audience],
        "basis": basis,
        "cold_start": cold[item],
        "reason": np.full(s * m, why, object),
    }
    rows |= {name: np.full(s * m, value, object) for name, value in common.items()}
    return {name: rows[name] for name in spec("affinities").names}


def _known(values: Floats) -> npt.NDArray[Any]:
    flat = values.ravel().astype(object)
    flat[np.isnan(values.ravel())] = None
    return flat


def _columns(name: str, rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {column: [row.get(column) for row in rows] for column in spec(name).names}
