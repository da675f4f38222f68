"""Draws and files ─► who got what at random, with the unit that was drawn.

A test with `draw_on` is drawn here, once, and kept: later runs, people who move and files that change leave
it as it was. A test without is told of by a file.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np

from hustings.experiments.declared import Control, DrawOn, ReadAt, ReadOn, Shares, Unit, UnitOf
from hustings.experiments.draws import Design, check_design, check_shares, check_unchanged, draw_people
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, count


def check_test(settings: Mapping[str, Any], _sections: Mapping[str, Any]) -> None:
    """Refuse shares that no arm can have, and a draw that does not say what it needs.

    Raises:
        DesignError: With what is wrong.
    """
    check_shares(settings["planned_shares"], settings["control"], settings["experiment"])
    if settings["draw_on"] is not None:
        design = Design(**{name: settings[name] for name in Design._fields})
        check_design(design, settings["experiment"])


@stage(
    writes=("assignments", "enrolments", "draws", "drawn_people"),
    section="experiments",
    each="experiment",
    check=check_test,
)
def attach_assignments(
    record_assignments: Table,
    identities: Table,
    people: Table,
    opt_outs: Table,
    baselines: Table,
    draws: Table,
    drawn_people: Table,
    *,
    experiment: str,
    control: Control,
    unit: UnitOf = "household",
    planned_shares: Shares = {},  # noqa: B006
    draw_on: DrawOn = None,
    draw_among: Annotated[
        dict[str, list[str]],
        About("Who may be drawn: columns of `features` or of `people`, with the values that count."),
    ] = {},  # noqa: B006
    draw_blocks: Annotated[
        list[str], About("Columns within whose values units are drawn, as `region_id`.")
    ] = [],  # noqa: B006
    balance_on: Annotated[
        list[str],
        About("Columns of `features` on which the arms are to be alike: it is drawn until they are."),
    ] = [],  # noqa: B006
    balance_best: Annotated[
        float, About("Share of draws that count as alike enough, the most alike ones.", gt=0, le=1)
    ] = 0.1,
    n_units: Annotated[int | None, About("Units to draw; all who may be drawn unless given.", ge=2)] = None,
    channels: Annotated[
        list[str], About("How the arms reach people: whose household refuses one of these is not drawn.")
    ] = [],  # noqa: B006
    read_on: ReadOn = None,
    read_at: ReadAt = None,
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
    seed: int,
    hold: Callable[[Any], Any],
    rng: np.random.Generator,
) -> Result:
    """The arm of each person in one test.

    A person who is told of in several arms (by two sources, or by a file against our own draw) is in none
    of them, and counted in `enrolments`.
    """
    made: dict[str, Any] = {name: {c: [] for c in spec(name).names} for name in ("draws", "drawn_people")}
    recorded = draws.filter(draws.experiment == experiment).to_pyarrow().to_pylist()
    drawn = drawn_people.filter(drawn_people.experiment == experiment)
    if draw_on is not None:
        design = Design(
            unit, control, planned_shares, draw_on, draw_among, draw_blocks, balance_on, balance_best,
            n_units, channels, read_on, read_at,
        )  # fmt: skip
        check_design(design, experiment)
        if recorded:
            check_unchanged(design, recorded[0], experiment)
        elif draw_on <= as_of:
            may = baselines.filter(baselines.experiment == experiment)
            refusing = _refusing(opt_outs, identities, people, [*channels, "all"])
            rows, counts = draw_people(may, refusing, design, experiment, rng)
            now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
            told = {"experiment": experiment, "drawn_on": draw_on, "recorded_at": now}
            told |= {"settings": design.text(), "seed": seed} | counts
            made = {"draws": {name: [told[name]] for name in spec("draws").names}, "drawn_people": rows}
            drawn = hold(_arrow(rows))
    of_files = _of_files(record_assignments, identities, people, experiment, unit)
    joined = _joined(of_files, drawn) if recorded or made["draws"]["experiment"] else of_files
    joined = hold(joined)
    one = joined.filter(joined.n_arms == 1)
    records = record_assignments.filter(record_assignments.experiment == experiment)
    same = [records.record_source == identities.source, records.record_id == identities.record_id]
    counted = {
        "experiment": experiment,
        "n_told": count(records),
        "n_unknown": count(records.anti_join(identities, same)),
        "n_drawn": count(drawn),
        "n_two_arms": count(joined.filter(joined.n_arms > 1)),
        "n_people": count(one),
    }
    return {
        "assignments": one.select(*spec("assignments").names),
        "enrolments": {name: [value] for name, value in counted.items()},
        **made,
    }


def _of_files(
    record_assignments: Table, identities: Table, people: Table, experiment: str, unit: Unit
) -> Any:
    """What files say of each person, with the number of arms they are told of in."""
    drawn = record_assignments.filter(record_assignments.experiment == experiment)
    same = [drawn.record_source == identities.source, drawn.record_id == identities.record_id]
    known = drawn.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    arms = known.group_by("experiment", "person_id").agg(
        arm=known.arm.min(),
        n_arms=known.arm.nunique(),
        block_id=known.block_id.min(),
        assigned_on=known.assigned_on.min(),
        contacted=known.contacted.any(),
    )
    one = arms.join(people.select("person_id", "household_id", "place_id"), "person_id")
    unit_id = {
        "person": one.person_id,
        "household": one.household_id,
        "place": one.place_id.coalesce(one.person_id),
    }
    return one.mutate(unit_id=unit_id[unit])


def _joined(of_files: Any, drawn: Any) -> Any:
    """Our own draw, with whether each was reached from the files; whoever was not drawn is not in the test."""
    told = of_files.select("person_id", "arm", "n_arms", "contacted")
    rows = drawn.left_join(told, "person_id", rname="{name}_told")
    apart = rows.arm_told.notnull() & ((rows.arm_told != rows.arm) | (rows.n_arms > 1))
    return rows.mutate(assigned_on=rows.drawn_on, n_arms=apart.ifelse(2, 1))


def _refusing(opt_outs: Table, identities: Table, people: Table, channels: list[str]) -> Any:
    """Households in which somebody refuses one of the channels."""
    refused = opt_outs.filter(opt_outs.channel.isin(channels))
    same = [refused.record_source == identities.source, refused.record_id == identities.record_id]
    who = refused.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    homes = who.join(people.select("person_id", "household_id"), "person_id", rname="{name}_p")
    return arrays(homes.select("household_id").distinct(), "household_id")["household_id"]


def _arrow(rows: dict[str, Any]) -> Any:
    import pyarrow as pa

    kinds = {"text": pa.string(), "day": pa.date32()}
    columns = spec("drawn_people").columns
    return pa.table({c.name: pa.array(rows[c.name], kinds[c.type], from_pandas=True) for c in columns})
