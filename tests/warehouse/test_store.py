"""Tables that were declared otherwise when the warehouse was made."""

from __future__ import annotations

import dataclasses
from contextlib import closing

import pytest

from hustings.errors import TableError
from hustings.tables import TABLES, Column
from hustings.warehouse import open_lake, store


@pytest.fixture
def redeclare(tmp_path, monkeypatch):
    """Make a warehouse as of now, then open it with another declaration of one table: its columns and rows."""

    def run(name: str, change) -> tuple[list[str], int]:
        spec = TABLES[name]
        monkeypatch.setattr(store, "TABLES", {name: spec})
        with closing(open_lake(tmp_path / "store", write=True)) as lake:
            with lake.transaction():
                store.create_tables(lake)
                lake.raw.execute(f"INSERT INTO lake.{name} ({spec.names[0]}) VALUES ('x')")
            monkeypatch.setattr(
                store, "TABLES", {name: dataclasses.replace(spec, columns=change(spec.columns))}
            )
            for _ in range(2):
                with lake.transaction():
                    store.create_tables(lake)
            columns = [row[0] for row in lake.rows(f"DESCRIBE lake.{name}")]
            return columns, lake.rows(f"SELECT count(*) FROM lake.{name}")[0][0]

    return run


NEW = Column("novelty", "text", "Declared since.")


def other_type(columns):
    return (*columns[:-1], dataclasses.replace(columns[-1], type="boolean"))


def test_a_derived_table_is_made_anew_when_it_is_declared_otherwise(redeclare):
    columns, n = redeclare("households", lambda columns: (*columns, NEW))
    assert "novelty" in columns
    assert n == 0
    assert redeclare("balances", other_type)[1] == 0


@pytest.mark.parametrize("name", ["holdouts", "opt_outs"])
def test_what_cannot_be_made_again_gets_the_new_column_and_keeps_its_rows(redeclare, name):
    columns, n = redeclare(name, lambda columns: (*columns, NEW))
    assert "novelty" in columns
    assert n == 1


@pytest.mark.parametrize("name", ["holdouts", "opt_outs"])
def test_another_type_of_what_cannot_be_made_again_is_refused(redeclare, name):
    with pytest.raises(
        TableError, match=rf"{name}\..* in this warehouse and BOOLEAN in this version.*export"
    ):
        redeclare(name, other_type)
