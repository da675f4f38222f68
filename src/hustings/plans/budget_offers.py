"""The table `offers` ─► curves that the budget can divide its money over, and why some are left out."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.stage import Table
from hustings.warehouse import arrays

Floats = npt.NDArray[np.float64]
RAISED = "cents"
"""The unit of offers that bring money."""


class Offered(NamedTuple):
    """One plan's offer.

    Attributes:
        name: The plan's node.
        channel: How people are reached.
        unit: What its gain counts.
        tested: Whether an own test stands behind it.
        evidence: What its effects rest on.
        starts_on: When its money is spent.
        curve: Cost, gain and error by step; None where it is left out.
        votes: Net votes at the curve's costs.
        reason: Why it is left out.
    """

    name: str
    channel: str | None
    unit: str
    tested: bool
    evidence: str | None
    starts_on: datetime.date | None
    curve: stats.budgets.Offer | None
    votes: Floats
    reason: str | None

    def votes_at(self, amount: float) -> float | None:
        """Net votes for so much money; None where they are not told."""
        if self.curve is None or not np.isfinite(self.votes).all():
            return None
        return float(np.interp(amount, self.curve.cost, self.votes))


def read_offers(offers: Table, aim: str) -> list[Offered]:
    """Every plan's own offer, the rules of thumb beside it aside.

    Args:
        offers: The table.
        aim: What gains are counted in; offers in another unit are left out, but for those that bring money.

    Returns:
        In the order of their names.

    Raises:
        DesignError: An offer's costs fall, do not begin at 0, or have no number, and it does not say why.
    """
    rows = arrays(offers.filter(offers.way == "plan").order_by("offer", "step"))
    names = rows["offer"].astype(str) if len(rows["offer"]) else np.empty(0, str)
    return [
        _read(name, {k: v[names == name] for k, v in rows.items()}, aim) for name in np.unique(names).tolist()
    ]


def _read(name: str, own: dict[str, npt.NDArray[Any]], aim: str) -> Offered:
    gain, error, cost, votes = (
        np.asarray(own[column], np.float64) for column in ("gain", "std_error", "cost_cents", "votes")
    )
    unit, told = str(own["unit"][0]), [text for text in own["reason"] if text]
    reason, curve = None, None
    if told and not np.isfinite(gain[cost > 0]).any():
        reason = told[0]
    elif unit not in (aim, RAISED):
        reason = f"it counts {unit}, and the campaign's aim is {aim}"
    else:
        gain, error = (np.where(cost == 0, np.nan_to_num(one), one) for one in (gain, error))
        try:
            curve = stats.budgets.offer(cost, gain, error)
        except DesignError as fault:
            raise DesignError(f"The offer {name}: {fault}") from None
        if curve.gain.max() <= 0:
            reason, curve = "no step of it is expected to gain anything", None
        elif unit == "win" and curve.gain.max() > 1:
            reason, curve = (
                f"it claims to add {curve.gain.max():.2g} to a probability: its votes' worth does not hold so far",
                None,
            )
    at = np.zeros(0)
    if curve is not None:
        order = np.argsort(cost, kind="stable")
        at = np.interp(curve.cost, cost[order], votes[order])
    return Offered(
        name,
        _text(own["channel"][-1]),
        unit,
        bool(np.all(own["tested"])),
        _text(own["evidence"][-1]),
        min((_day(one) for one in own["starts_on"] if _known(one)), default=None),
        curve,
        at,
        reason,
    )


def _known(value: Any) -> bool:
    return value is not None and not (isinstance(value, np.datetime64) and np.isnat(value))


def _day(value: Any) -> datetime.date:
    return value.astype("M8[D]").item() if isinstance(value, np.datetime64) else value


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def evidence_codes(offered: list[Offered]) -> npt.NDArray[np.int64]:
    """(k,) one code for each evidence; -1 where none is named.

    >>> of = Offered("a", None, "win", True, "mail", None, None, np.zeros(0), None)
    >>> evidence_codes([of, of._replace(evidence=None), of]).tolist()
    [0, -1, 0]
    """
    known = sorted({one.evidence for one in offered if one.evidence})
    return np.array([known.index(one.evidence) if one.evidence else -1 for one in offered], np.int64)
