"""What else the simulated campaign has: each part writes sources of its own, and says in campaign.toml what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from hustings.simulate.names import Names
from hustings.simulate.politics import Politics
from hustings.simulate.world import World


class Drawn(NamedTuple):
    """The simulated state. Rows of people are in file order.

    Attributes:
        world: Who lives there, the test of mail, who then voted.
        politics: Whom they support, what they give.
        names: What they are called, where they live.
        ids: (n,) their voter ids.
    """

    world: World
    politics: Politics
    names: Names
    ids: pa.Array


class Part(NamedTuple):
    """One part.

    Attributes:
        files: What it writes, relative to the campaign's folder; below `sources/`, the truth as `truth-….parquet`.
        write: Writes them into a folder, from a generator of its own.
        declaration: Its text in campaign.toml, given the number of people.
    """

    files: tuple[str, ...]
    write: Callable[[Path, Drawn, np.random.Generator], None]
    declaration: Callable[[int], str]
