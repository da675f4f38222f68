"""A folder that the whole package can be run on: made-up sources, campaign.toml, and the truth beside."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hustings.errors import CampaignError, DesignError
from hustings.simulate import files
from hustings.simulate.damage import damage_counts, damaged_rows, shuffled_in
from hustings.simulate.declaration import declaration
from hustings.simulate.elections import DRAWN_ON, MAILED_ON, PAST
from hustings.simulate.map import coordinates
from hustings.simulate.names import Names, draw_names
from hustings.simulate.part import Drawn
from hustings.simulate.parts import PARTS
from hustings.simulate.phones import draw_phones
from hustings.simulate.politics import Politics, draw_politics
from hustings.simulate.population import PARTIES
from hustings.simulate.world import CHANNELS, World, check_people, draw_world

VOTERS = "sources/voters.csv"
MAILING = "sources/mailing.csv.gz"
TURNOUT = "sources/turnout.parquet"
OPT_OUTS = "sources/opt_outs.tsv"
CANVASS = "sources/canvass.csv"
BOOK = "sources/supporters.csv"
TRUTH = "truth.parquet"
DECLARATION = "campaign.toml"
FILES = (
    *(VOTERS, MAILING, TURNOUT, OPT_OUTS, CANVASS, BOOK, TRUTH),
    *(file for part in PARTS for file in part.files),
    DECLARATION,
)
"""In the order in which they are put in place: a folder with a campaign.toml has everything else."""


@dataclass(frozen=True)
class Written:
    """What `write_campaign` has written.

    Attributes:
        folder: The campaign's folder.
        n_people: Sound rows of the voter file.
        n_rows: Rows of the voter file, damaged ones included; its header is not one.
        n_households: Households.
        n_tested: People whose household is in the test of mail.
        n_opt_outs: Refusals.
        n_answers: Answers to canvassers.
        n_gifts: Gifts.
        n_shifts: Volunteers' shifts.
        damaged: Damaged rows of the voter file, by kind.
    """

    folder: Path
    n_people: int
    n_rows: int
    n_households: int
    n_tested: int
    n_opt_outs: int
    n_answers: int
    n_gifts: int
    n_shifts: int
    damaged: Mapping[str, int]


def write_campaign(folder: Path, *, people: int = 50_000, seed: int = 7) -> Written:
    """A simulated campaign in a folder of its own, whole or not at all.

    The same people and seed give the same bytes.

    Args:
        folder: A new or empty folder.
        people: Registered voters, 1,000 to 1,000,000.
        seed: Seed of all randomness, 0 or more.

    Returns:
        What was written, in counts.

    Raises:
        DesignError: The number of people, or the seed, is out of its range.
        CampaignError: The folder holds a campaign already, or cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     written = write_campaign(Path(parent) / "demo", people=1_000)
    >>> written.n_people, written.n_rows
    (1000, 1004)
    """
    _check_request(people, seed)
    folder, people, seed = Path(folder), int(people), int(seed)
    world_rng, names_rng, files_rng, politics_rng, phones_rng = np.random.default_rng(seed).spawn(5)
    try:
        _check_free(folder)
        world = draw_world(people, world_rng)
        politics = draw_politics(world, politics_rng)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as staging:
            drawn = (world, politics, draw_names(world, names_rng))
            phones = draw_phones(world, phones_rng)
            written = _write_files(folder, Path(staging), drawn, phones, files_rng)
            (Path(staging) / DECLARATION).write_text(
                declaration(people, seed), encoding="utf-8", newline="\n"
            )
            _put_in_place(Path(staging), folder)
    except OSError as error:
        raise CampaignError.of(
            f"The simulated campaign cannot be written ({error.strerror or error})",
            received=str(folder),
            allowed="a new folder, or an empty one that can be written to",
            then="name another folder",
        ) from error
    return written


def _write_files(
    folder: Path,
    staging: Path,
    drawn: tuple[World, Politics, Names],
    phones: pa.Array,
    rng: np.random.Generator,
) -> Written:
    world, politics, names = drawn
    people = world.arm.size
    ids = files.ids("V", np.arange(1, people + 1))
    damaged = damage_counts(people)
    (staging / "sources").mkdir()
    voters = _voter_columns(world, politics, names, ids) | {"phone": phones}
    _write_voters(staging / VOTERS, voters, damaged, rng)
    _write_mailing(staging / MAILING, world, ids)
    _write_turnout(staging / TURNOUT, world, ids)
    _write_opt_outs(staging / OPT_OUTS, world, ids, rng)
    _write_canvass(staging / CANVASS, politics, ids)
    _write_book(staging / BOOK, politics, ids)
    _write_truth(staging / TRUTH, world, politics, ids)
    for part, own in zip(PARTS, rng.spawn(len(PARTS)), strict=True):
        part.write(staging, Drawn(world, politics, names, ids), own)
    return Written(
        folder=folder,
        n_people=people,
        n_rows=people + sum(damaged.values()),
        n_households=int(world.household[-1]) + 1,
        n_tested=int((world.arm >= 0).sum()),
        n_opt_outs=int((world.opt_out >= 0).sum()),
        n_answers=politics.asked.size,
        n_gifts=int(politics.is_gift.sum()),
        n_shifts=int((~politics.is_gift).sum()),
        damaged=damaged,
    )


def _put_in_place(staging: Path, folder: Path) -> None:
    (folder / "sources").mkdir(exist_ok=True)
    for file in FILES:
        os.replace(staging / file, folder / file)


def _check_request(people: int, seed: int) -> None:
    check_people(people)
    number = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not (number and seed >= 0):
        raise DesignError.of(
            "This seed cannot be used",
            received=seed,
            allowed="a whole number, 0 or more",
            then="give another seed",
        )


def _check_free(folder: Path) -> None:
    for file in reversed(FILES):
        if (folder / file).exists():
            raise CampaignError.of(
                f"The folder holds {file} already, and nothing is written over",
                received=str(folder),
                allowed="a new folder, or an empty one",
                then="name another folder",
            )


def _voter_columns(world: World, politics: Politics, names: Names, ids: pa.Array) -> dict[str, pa.Array]:
    latitude, longitude = coordinates(world)
    columns = {
        "voter_id": ids,
        "household_id": files.ids("H", world.household + 1),
        "first_name": names.given,
        "last_name": names.family,
        "birth_date": pc.strftime(pa.array(world.born_on), "%m/%d/%Y"),
        "sex": files.pick(["M", "F"], world.female),
        "party": files.pick(list(PARTIES), world.party),
        "address": names.address,
        "zip": names.postcode,
        "latitude": files.degrees(latitude),
        "longitude": files.degrees(longitude),
        "precinct": files.places("P", world.place),
        "region": files.places("R", world.region),
        "registered": pc.strftime(pa.array(world.registered_on), "%m/%d/%Y"),
        "partisan_index": pa.array(politics.vendor.astype(np.int64)).cast(pa.string()),
    }
    votes = {
        election.column: files.pick(["N", "Y"], world.votes[:, column])
        for column, election in enumerate(PAST)
    }
    return columns | votes


def _write_voters(
    path: Path, columns: Mapping[str, pa.Array], counts: Mapping[str, int], rng: np.random.Generator
) -> None:
    damaged = damaged_rows(columns, counts, rng)
    lines = shuffled_in(files.lines(columns, ","), [damaged[i] for i in rng.permutation(len(damaged))], rng)
    path.write_bytes(files.as_bytes(columns, ",", lines))


def _write_mailing(path: Path, world: World, ids: pa.Array) -> None:
    """Mailed on no day: control, which is on the list so that nobody else writes to it."""
    tested = np.flatnonzero(world.arm >= 0)
    arm = world.arm[tested]
    columns = {
        "voter_id": ids.take(pa.array(tested)),
        "precinct": files.places("P", world.place[tested]),
        "arm": files.pick(list(world.arms), arm),
        "mailed_on": files.pick(["", MAILED_ON.isoformat()], arm > 0),
    }
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        packed.write(files.as_bytes(columns, "|", files.lines(columns, "|")))


def _write_turnout(path: Path, world: World, ids: pa.Array) -> None:
    table = pa.table({"voter_id": ids, "voted": pa.array(world.voted.astype(np.int32))})
    pq.write_table(table, path, compression="zstd")


def _write_opt_outs(path: Path, world: World, ids: pa.Array, rng: np.random.Generator) -> None:
    who = np.flatnonzero(world.opt_out >= 0)
    day = np.datetime64(DRAWN_ON, "D") - rng.integers(1, 200, who.size).astype("timedelta64[D]")
    columns = {
        "voter_id": ids.take(pa.array(who)),
        "channel": files.pick(list(CHANNELS), world.opt_out[who]),
        "day": pc.strftime(pa.array(day), "%Y-%m-%d"),
    }
    path.write_bytes(files.as_bytes(columns, "\t", files.lines(columns, "\t")))


def _write_canvass(path: Path, politics: Politics, ids: pa.Array) -> None:
    order = np.argsort(politics.asked_on, kind="stable")
    columns = {
        "voter_id": ids.take(pa.array(politics.asked[order])),
        "date": pc.strftime(pa.array(politics.asked_on[order]), "%Y-%m-%d"),
        "support": pa.array(politics.answer[order]).cast(pa.string()),
    }
    path.write_bytes(files.as_bytes(columns, ",", files.lines(columns, ",")))


def _write_book(path: Path, politics: Politics, ids: pa.Array) -> None:
    order = np.argsort(politics.done_on, kind="stable")
    cents = pa.array(politics.cents[order], mask=~politics.is_gift[order])
    columns = {
        "voter_id": ids.take(pa.array(politics.doer[order])),
        "date": pc.strftime(pa.array(politics.done_on[order]), "%Y-%m-%d"),
        "what": files.pick(["shift", "gift"], politics.is_gift[order]),
        "cents": pc.fill_null(cents.cast(pa.string()), ""),
        "entered": pc.strftime(pa.array(politics.entered_on[order]), "%Y-%m-%d"),
    }
    path.write_bytes(files.as_bytes(columns, ",", files.lines(columns, ",")))


def _write_truth(path: Path, world: World, politics: Politics, ids: pa.Array) -> None:
    effects = {f"effect_{arm}": pa.array(world.effect[:, i]) for i, arm in enumerate(world.arms[1:])}
    arm = pa.array(list(world.arms)).take(pa.array(world.arm, mask=world.arm < 0))
    table = pa.table({"voter_id": ids, "arm": arm, "p_control": pa.array(world.p_control)} | effects)
    for name in ("p_support", "p_give", "mean_gift", "p_help"):
        table = table.append_column(name, pa.array(getattr(politics, name)))
    pq.write_table(table, path, compression="zstd")
