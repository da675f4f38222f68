"""The people of one test as arrays: what every reading of it starts from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.stage import Table
from hustings.warehouse import Codes, arrays, codes


class Arms(NamedTuple):
    """One test.

    Attributes:
        labels: The arms, control first.
        arm: (n,) code of each person's arm.
        unit: (n,) code of the randomised unit.
        person_id: (n,) the people.
        more: Any further column that was asked for, by name, each (n,).
    """

    labels: list[str]
    arm: npt.NDArray[np.int64]
    unit: npt.NDArray[np.int64]
    person_id: npt.NDArray[Any]
    more: dict[str, npt.NDArray[Any]]


def read_arms(
    assignments: Table, experiment: str, control: str, *more: str, labels: list[str] | None = None
) -> Arms:
    """The people of one test; `assignments` may be joined to other tables for further columns.

    The control arm gets code 0 whether or not anybody is in it. `labels` keeps the arms of an earlier reading,
    where some of its people are not among these.
    """
    names = ("person_id", "arm", "unit_id", *more)
    found = arrays(assignments.filter(assignments.experiment == experiment).order_by("person_id"), *names)
    present = sorted(set(found["arm"].tolist()))
    labels = labels or [control, *(arm for arm in present if arm != control)]
    arm = codes(found["arm"], labels)
    unit: Codes = codes(found["unit_id"])
    return Arms(labels, arm.codes, unit.codes, found["person_id"], {name: found[name] for name in more})


def shares(planned: dict[str, float], labels: list[str]) -> list[float] | None:
    """The planned shares in the order of the labels, or None when none are declared.

    They add to 1 together with those of planned arms that nobody is in.

    Raises:
        DesignError: An arm of the file has no planned share, or shares are not positive.

    >>> shares({"a": 3, "b": 1}, ["a", "b"])
    [0.75, 0.25]
    """
    if not planned:
        return None
    for arm in labels:
        if arm not in planned:
            raise DesignError.unknown(
                "planned_shares does not name the arm", arm, planned, "edit campaign.toml"
            )
    if any(share <= 0 for share in planned.values()):
        raise DesignError.of("planned_shares must be above 0", received=planned)
    total = sum(planned.values())
    return [planned[arm] / total for arm in labels]
