"""Who may be drawn ─► who gets what, decided once."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.channels import channel
from hustings.errors import DesignError
from hustings.experiments.declared import Unit
from hustings.tables import spec
from hustings.warehouse import arrays, codes, matrix


class Design(NamedTuple):
    """What is declared of a test before it is drawn; none of it may change afterwards."""

    unit: Unit
    control: str
    planned_shares: Mapping[str, float]
    draw_on: datetime.date
    draw_among: Mapping[str, Sequence[str]]
    draw_blocks: Sequence[str]
    balance_on: Sequence[str]
    balance_best: float
    n_units: int | None
    channels: Sequence[str]
    read_on: datetime.date | None
    read_at: int | None

    def text(self) -> str:
        """As JSON, for the record."""
        return json.dumps(self._asdict(), default=str, sort_keys=True)


def check_shares(planned: Mapping[str, float], control: str, experiment: str) -> None:
    """Refuse planned shares that are not above nought, or without control.

    Raises:
        DesignError: With what is wrong.
    """
    where = f"[experiments.{experiment}] planned_shares"
    if planned and control not in planned:
        raise DesignError.unknown(f"{where} must name control", control, planned, "edit campaign.toml")
    if not all(np.isfinite(share) and share > 0 for share in planned.values()):
        raise DesignError.of(f"{where} must be above 0", received=dict(planned), then="edit campaign.toml")


def check_design(design: Design, experiment: str) -> None:
    """Refuse a design that cannot be drawn, or that does not say when it will be read.

    Raises:
        DesignError: With what is missing.
    """
    where = f"[experiments.{experiment}]"
    if len(design.planned_shares) < 2 or design.control not in design.planned_shares:
        raise DesignError.of(
            f"{where} planned_shares must name control ({design.control}) and one more arm",
            received=list(design.planned_shares),
            then="edit campaign.toml",
        )
    check_shares(design.planned_shares, design.control, experiment)
    if design.read_on is None and design.read_at is None:
        raise DesignError.of(
            f"{where} does not say when it will be read",
            allowed="read_on = DAY or read_at = PEOPLE",
            then="edit campaign.toml; what is decided after a look at the outcome proves nothing",
        )
    if design.read_on is not None and design.read_on < design.draw_on:
        raise DesignError.of(f"{where} would be read before it is drawn", received=f"{design.read_on}")
    if not design.channels:
        raise DesignError.of(
            f"{where} channels is empty, so nobody's refusal could be kept",
            allowed='the ways in which the arms reach people, as ["mail"]',
            then="edit campaign.toml",
        )
    for name in design.channels:
        channel(name)


def check_unchanged(design: Design, recorded: Mapping[str, Any], experiment: str) -> None:
    """Refuse settings that differ from those under which a test was drawn.

    Raises:
        DesignError: Naming what differs.
    """
    before, now = json.loads(recorded["settings"]), json.loads(design.text())
    changed = [
        f"{key} (then {before.get(key)}, now {now[key]})" for key in now if before.get(key) != now[key]
    ]
    if changed:
        raise DesignError.of(
            f"[experiments.{experiment}] was drawn on {recorded['drawn_on']} with other settings: {'; '.join(changed)}",
            then="put them back, or give the new test a name of its own",
        )


def draw_people(
    candidates: Any,
    refusing: npt.NDArray[Any],
    design: Design,
    experiment: str,
    rng: np.random.Generator,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """The draw.

    Args:
        candidates: Rows of `baselines`.
        refusing: Households in which somebody refuses one of the channels.
        design: What is declared.
        experiment: The test.
        rng: Randomness.

    Returns:
        Columns of `drawn_people`, and the counts of `draws`.

    Raises:
        DesignError: Too few units, or a column that cannot be used.
    """
    everyone = arrays(candidates.order_by("person_id"))
    willing = codes(everyone["household_id"], refusing).codes < 0
    known = {name: column[willing] for name, column in everyone.items()}
    labels = list(design.planned_shares)
    unit = codes(unit_ids(known, design.unit))
    chosen = _chosen(len(unit.labels), design, len(labels), experiment, rng)
    inside = chosen[unit.codes]
    first = np.full(len(unit.labels), -1)
    first[unit.codes[::-1]] = np.arange(len(unit.codes))[::-1]
    block = codes(_blocks(known, design.draw_blocks, experiment)[first[chosen]])
    covariates = _covariates(known, design, unit.codes, len(unit.labels), experiment)[chosen]
    shares = [design.planned_shares[label] for label in labels]
    found = stats.design.draw_balanced(
        shares, block.codes, covariates, rng, accepted=design.balance_best if covariates.shape[1] else 1.0
    )
    arm, blocks = np.full(len(unit.labels), -1), np.full(len(unit.labels), -1)
    arm[chosen], blocks[chosen] = found.arm, block.codes
    own = unit.codes[inside]
    rows = {
        "experiment": np.full(len(own), experiment, dtype=object),
        "person_id": known["person_id"][inside],
        "arm": np.array(labels, dtype=object)[arm[own]],
        "unit_id": np.array(unit.labels, dtype=object)[own],
        "block_id": np.array([*block.labels, None], dtype=object)[
            blocks[own] if design.draw_blocks else -1 + 0 * own
        ],
        "drawn_on": np.full(len(own), np.datetime64(design.draw_on)),
    }
    counts = {
        "n_refused": int((~willing).sum()),
        "n_people": len(own),
        "n_units": int(chosen.sum()),
        "n_blocks": len(block.labels),
        "n_draws": found.n_draws,
        "p_balance": found.p_value if np.isfinite(found.p_value) else None,
    }
    return {name: rows[name] for name in spec("drawn_people").names}, counts


def unit_ids(known: Mapping[str, npt.NDArray[Any]], unit: str) -> npt.NDArray[Any]:
    """(n,) the unit of each person; someone of no known place is a unit of their own.

    >>> unit_ids({"person_id": np.array(["a"]), "place_id": np.array([None])}, "place").tolist()
    ['a']
    """
    ids = known[{"person": "person_id", "household": "household_id", "place": "place_id"}[unit]]
    return np.where(ids == np.array(None), known["person_id"], ids)


def _chosen(
    n: int, design: Design, n_arms: int, experiment: str, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Which units take part: all, or as many as wished, at random."""
    wanted = n if design.n_units is None else design.n_units
    if wanted > n or n < 2 * n_arms or wanted < 2 * n_arms:
        raise DesignError.of(
            f"[experiments.{experiment}] cannot be drawn: {n:,} units ({design.unit}) may be drawn",
            received=f"{n_arms} arms, {wanted:,} units wished",
            allowed="two units for each arm at least, and no more than there are",
            then=f"hustings design {experiment}",
        )
    chosen = np.zeros(n, bool)
    chosen[rng.permutation(n)[:wanted]] = True
    return chosen


def _column(known: Mapping[str, Any], name: str, setting: str, experiment: str) -> npt.NDArray[Any]:
    if name not in known or name in ("experiment", "person_id", "as_of"):
        allowed = sorted(set(known) - {"experiment", "person_id", "as_of"})
        raise DesignError.unknown(f"[experiments.{experiment}] {setting}: no column", name, allowed)
    return np.asarray(known[name])


def _blocks(known: Mapping[str, Any], names: Sequence[str], experiment: str) -> npt.NDArray[Any]:
    """(n,) the text of each person's block."""
    text = np.full(len(known["person_id"]), "", dtype=object)
    for name in names:
        column = _column(known, name, "draw_blocks", experiment)
        values = np.array(
            [
                "unknown" if _is_null(value) else f"{value:g}" if isinstance(value, float) else str(value)
                for value in column.tolist()
            ],
            dtype=object,
        )
        if column.dtype.kind == "f" and len(set(values)) > 50:
            raise DesignError.of(
                f"[experiments.{experiment}] draw_blocks: {name} has too many values to be a block",
                received=len(set(values)),
                then="name it in balance_on",
            )
        text = text + (" " if names[0] != name else "") + name + "=" + values
    return text


def _is_null(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124


def _covariates(
    known: Mapping[str, Any], design: Design, unit: npt.NDArray[np.int64], n_units: int, experiment: str
) -> npt.NDArray[np.float64]:
    """(units, p) means of what is balanced, and the unit's size."""
    columns = {name: _column(known, name, "balance_on", experiment) for name in design.balance_on}
    found = matrix(columns) if columns else None
    if found is None or not found.names:
        return np.empty((n_units, 0))
    sizes = np.bincount(unit, minlength=n_units).astype(np.float64)
    told = []
    for column in found.values.astype(np.float64).T:
        here = ~np.isnan(column)
        n = np.bincount(unit[here], minlength=n_units)
        sums = np.bincount(unit[here], column[here], minlength=n_units)
        told.append(np.divide(sums, n, out=np.full(n_units, np.nan), where=n > 0))
    return np.column_stack([*told, sizes])
