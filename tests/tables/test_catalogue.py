"""The catalogue of tables."""

from __future__ import annotations

import pytest

from hustings.errors import TableError
from hustings.tables import TABLES, spec
from hustings.warehouse.store import TYPES


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_is_declared_whole(table):
    assert table.key
    assert set(table.key) <= set(table.names)
    assert len(set(table.names)) == len(table.names)
    assert table.about
    assert table.kind in ("collected", "derived", "kept")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_column_says_what_it_is(table):
    for column in table.columns:
        assert column.type in TYPES
        assert column.about.endswith((".", "."))
        assert column.name.endswith("_on") == (column.type == "day") or column.name == "as_of"
        assert column.name.endswith("_at") == (column.type == "time")
        # A count that is weighted or estimated has parts.
        assert not column.name.startswith("n_") or column.type in ("integer", "number")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_names_and_addresses_stand_in_private_tables_only(table):
    contact = {column.name for column in table.columns if column.privacy == "contact"}
    # What somebody said in her own words may hold any name; it goes no further than where it is collected.
    allowed = {"record_events": {"text"}}.get(table.name, set())
    assert contact <= allowed or table.name in ("records", "people_private", "rejects")


def test_an_unknown_table_has_a_nearest_one():
    with pytest.raises(TableError, match="did you mean 'lifts'"):
        spec("lift")
    with pytest.raises(KeyError):
        spec("lifts").column("estimates")
