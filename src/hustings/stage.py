"""A stage: a function from named tables to named tables.

Positional parameters are the tables that it reads (`Table | None` where it can do without). Keyword-only
parameters are its settings: the section of campaign.toml named after the first table that it writes, or
after `section`. A parameter that has the name of a `[campaign]` key takes its value from there unless the
section gives its own; `rng` is a generator seeded from the campaign and the node.

    @stage(writes="lifts", section="experiments", each="experiment")
    def measure_lifts(assignments: Table, outcomes: Table, *, experiment: str, control: str) -> Result: ...

runs once for every `[experiments.NAME]` and replaces only its own part of `lifts`.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from hustings.errors import FlowError
from hustings.tables import spec

if TYPE_CHECKING:
    import pydantic
    from ibis import Table

else:

    class Table:
        """Stands for an Ibis table, so that naming one does not import Ibis."""


__all__ = ["About", "Result", "Stage", "Table", "describe", "setting", "stage"]

Result = Any
"""What a stage returns: one table, or a mapping from table names to tables.

A table is an Ibis expression, an Arrow table, or a mapping from column names to arrays."""

INJECTED = ("rng", "land", "hold", "load_id", "folder")
"""Parameters that are not settings: a seeded generator, the reader of files, the holder of
interim tables, the run's id, the campaign's folder."""

Watch = Callable[[Path, Mapping[str, Any]], str]
Check = Callable[[Mapping[str, Any], Mapping[str, Any]], None]
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class About:
    """What a setting means, and the range of its values.

    Attributes:
        text: One sentence for the reference and for editors.
        ge: Smallest value allowed, or None.
        le: Largest value allowed, or None.
        gt: Value that must be exceeded, or None.
    """

    text: str
    ge: float | None = None
    le: float | None = None
    gt: float | None = None


@dataclass(frozen=True)
class Parameter:
    """One keyword-only parameter of a stage."""

    name: str
    annotation: Any
    default: Any
    about: About

    @property
    def required(self) -> bool:
        """Whether the section must give it."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Stage:
    """One stage, as its signature describes it.

    Attributes:
        function: The function itself.
        writes: Names of the tables that it writes; the first names its node.
        reads: Names of the tables that it reads, with whether it can do without.
        section: The section of campaign.toml that holds its settings.
        each: The parameter that receives the name of a declared instance, or None for a stage that
            runs once.
        watch: A function from the campaign's folder and the settings to a text that changes when something
            outside the lake (a file) has changed, or None.
        check: A function from the settings and all sections that raises where settings that are fine one by
            one contradict each other, or name a section that is not there; or None.
    """

    function: Callable[..., Any]
    writes: tuple[str, ...]
    reads: tuple[tuple[str, bool], ...]
    section: str
    each: str | None
    watch: Watch | None
    check: Check | None = None

    @property
    def path(self) -> str:
        """Where it stands, as `module:function`."""
        return f"{self.function.__module__}:{self.function.__name__}"

    def parameters(self) -> tuple[Parameter, ...]:
        """The settings, in the order of the signature."""
        return _parameters(self.function)

    def model(self) -> type[pydantic.BaseModel]:
        """The settings as a pydantic model that refuses unknown keys."""
        return _model(self)


def stage(
    writes: str | tuple[str, ...],
    *,
    section: str | None = None,
    each: str | None = None,
    watch: Watch | None = None,
    check: Check | None = None,
) -> Callable[[Function], Function]:
    """Declare a function as the maker of one or several tables.

    Args:
        writes: The table or tables that it makes; each must be declared in `tables/`.
        section: The section of campaign.toml with its settings; by default the first table's name.
        each: Name of the keyword-only parameter that receives the name of a declared instance.
        watch: Called with the campaign's folder and the settings; its text belongs to the fingerprint.
        check: Called with the settings and all sections of campaign.toml, before anything runs; raises a
            `HustingsError` where they contradict each other.

    Returns:
        A decorator that leaves the function as it is and remembers what it declares.

    Raises:
        TableError: A table that is read or written is not declared.
        FlowError: A parameter does not fit the rules above.

    >>> @stage(writes="goals")
    ... def measure(events: Table, *, target: Annotated[float, About("To be reached")] = 1.0) -> Result: ...
    >>> describe(measure).reads
    (('events', False),)
    """
    tables = (writes,) if isinstance(writes, str) else tuple(writes)

    def remember(function: Function) -> Function:
        for name in tables:
            spec(name)
        described = Stage(function, tables, _reads(function), section or tables[0], each, watch, check)
        keywords = {
            p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY
        }
        if each is not None and each not in keywords:
            raise FlowError.unknown(f"{described.path}: each= names a parameter", each, keywords)
        function.__stage__ = described  # type: ignore[attr-defined]
        return function

    return remember


def describe(function: Callable[..., Any]) -> Stage:
    """What a decorated function declares.

    Raises:
        FlowError: The function is not a stage.
    """
    described = getattr(function, "__stage__", None)
    if not isinstance(described, Stage):
        raise FlowError.of(
            "Not a stage", received=getattr(function, "__name__", function), then="decorate it with @stage"
        )
    return described


def setting(value: Mapping[str, Any] | Any) -> Any:
    """A setting as plain JSON values, for records and fingerprints.

    >>> import datetime
    >>> setting({"on": datetime.date(2026, 11, 3)})
    {'on': '2026-11-03'}
    """
    if hasattr(value, "model_dump"):
        return setting(value.model_dump(exclude_none=True, by_alias=True))
    if isinstance(value, Mapping):
        return {str(key): setting(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [setting(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _reads(function: Callable[..., Any]) -> tuple[tuple[str, bool], ...]:
    hints = typing.get_type_hints(function)
    reads = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            continue
        optional = isinstance(hints.get(parameter.name), types.UnionType)
        spec(parameter.name)
        reads.append((parameter.name, optional))
    return tuple(reads)


@cache
def _parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    hints = typing.get_type_hints(function, include_extras=True)
    found = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        annotation, about = hints[parameter.name], About("")
        if typing.get_origin(annotation) is Annotated:
            annotation, *notes = typing.get_args(annotation)
            about = next((note for note in notes if isinstance(note, About)), about)
        found.append(Parameter(parameter.name, annotation, parameter.default, about))
    return tuple(found)


@cache
def _model(described: Stage) -> type[pydantic.BaseModel]:
    import pydantic

    fields: dict[str, Any] = {}
    for parameter in described.parameters():
        if parameter.name in (*INJECTED, described.each):
            continue
        about = parameter.about
        fields[parameter.name] = (
            parameter.annotation,
            pydantic.Field(
                ... if parameter.required else parameter.default,
                description=about.text,
                ge=about.ge,
                le=about.le,
                gt=about.gt,
            ),
        )
    config = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True, frozen=True)
    return pydantic.create_model(described.function.__name__, __config__=config, **fields)
