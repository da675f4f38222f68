"""The only connection and the only SQL."""

from __future__ import annotations

from hustings.warehouse.arrays import Codes, arrays, codes, count
from hustings.warehouse.connect import Lake, open_lake
from hustings.warehouse.lock import locked
from hustings.warehouse.matrix import Matrix, matrix
from hustings.warehouse.residents import residents
from hustings.warehouse.runs import Published, open_published
from hustings.warehouse.store import read, write

__all__ = [
    "Codes",
    "Lake",
    "Matrix",
    "Published",
    "arrays",
    "codes",
    "count",
    "locked",
    "matrix",
    "open_lake",
    "open_published",
    "read",
    "residents",
    "write",
]
