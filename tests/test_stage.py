"""A stage is its signature: what it reads, what it writes, which settings it has."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import pytest

from hustings.errors import FlowError, TableError
from hustings.stage import About, Result, Table, describe, setting, stage


def test_positional_parameters_are_tables_and_keyword_only_ones_are_settings():
    @stage(writes=("lifts", "balances"), section="experiments", each="experiment")
    def read_out(
        assignments: Table,
        outcomes: Table | None,
        *,
        experiment: str,
        confidence: Annotated[float, About("Coverage.", gt=0, le=1)] = 0.95,
        rng: Any,
    ) -> Result: ...

    found = describe(read_out)
    assert found.reads == (("assignments", False), ("outcomes", True))
    assert (found.writes, found.section, found.each) == (("lifts", "balances"), "experiments", "experiment")
    assert found.path == f"{__name__}:read_out"
    assert [(p.name, p.required, p.about.text) for p in found.parameters()] == [
        ("experiment", True, ""),
        ("confidence", False, "Coverage."),
        ("rng", True, ""),
    ]
    assert list(found.model().model_fields) == ["confidence"]


def test_the_section_is_the_first_table_unless_named():
    @stage(writes="goals")
    def measure(events: Table) -> Result: ...

    assert describe(measure).section == "goals"


def test_a_decorated_function_is_called_as_it_was():
    @stage(writes="goals")
    def answer(*, n: int = 1) -> Result:
        return n + 1

    assert answer(n=2) == 3


def test_a_table_that_is_not_declared_is_refused_with_the_nearest():
    with pytest.raises(TableError, match=r"'lift' \(did you mean 'lifts'\?\)"):
        stage(writes="lift")(lambda: None)

    def reads(outcome: Table) -> Result: ...

    with pytest.raises(TableError, match=r"'outcome' \(did you mean 'outcomes'\?\)"):
        stage(writes="lifts")(reads)


def test_each_must_name_a_setting():
    def makes(outcomes: Table, *, experiment: str) -> Result: ...

    with pytest.raises(
        FlowError, match=r"each= names a parameter 'experimnt' \(did you mean 'experiment'\?\)"
    ):
        stage(writes="lifts", each="experimnt")(makes)


def test_a_function_without_the_decorator_is_no_stage():
    def plain() -> None: ...

    with pytest.raises(FlowError, match=r"Not a stage; received 'plain'. Next: decorate it with @stage"):
        describe(plain)


def test_settings_are_told_as_plain_values():
    from hustings.sources.mapping import Block

    block = Block.model_validate({"record_id": "id", "where": {"column": "a", "is": ["x"]}})
    assert setting(block) == {"where": {"column": "a", "is": ["x"]}, "record_id": "id"}
    told = {"on": datetime.date(2026, 1, 2), "n": [1, 2.5, None, True], "of": ("a",), 3: "b"}
    assert setting(told) == {"on": "2026-01-02", "n": [1, 2.5, None, True], "of": ["a"], "3": "b"}


def test_the_model_refuses_what_is_out_of_range_and_what_is_unknown():
    import pydantic

    @stage(writes="goals")
    def makes(
        *,
        share: Annotated[float, About("", gt=0, le=1)],
        n: Annotated[int, About("", ge=1)] = 3,
        how: Literal["a", "b"] = "a",
    ) -> Result: ...

    model = describe(makes).model()
    assert model(share=1).n == 3
    for wrong in (
        {"share": 0},
        {"share": 2},
        {"share": 1, "n": 0},
        {"share": 1, "how": "c"},
        {"share": 1, "x": 1},
        {},
    ):
        with pytest.raises(pydantic.ValidationError):
            model(**wrong)
