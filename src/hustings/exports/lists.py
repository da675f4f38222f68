"""A plan ─► the file for whoever carries it out, cut against the newest refusals and ballots, and logged.

A list is cut once (`cut`) and may be cut again on the day on which it goes out (`send`): whoever has refused or
voted in between leaves it.
"""

from __future__ import annotations

import datetime
import getpass
import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from hustings.campaign import Campaign
from hustings.errors import CampaignError, TableError
from hustings.exports.appointments import appointments
from hustings.exports.calendars import calendar
from hustings.exports.formats import Format, as_csv, format_of, lines
from hustings.exports.leaving import still_wanted
from hustings.exports.listing import listed
from hustings.warehouse import Lake, Published, locked, open_lake, open_published, read, write
from hustings.warehouse.store import create_tables

FOLDER = "lists"


class Cut(NamedTuple):
    """One list that was written.

    Attributes:
        path: The file, readable by its owner only.
        n_rows: Lines in it.
        n_opted_out: People of the plan left out now because they, or someone they live with, have refused.
        n_voted: People left out because they have voted.
        n_unreachable: People left out because the format's way to them is missing, or shared with another.
        cut_id: The row of `cuts` that keeps it.
    """

    path: Path
    n_rows: int
    n_opted_out: int
    n_voted: int = 0
    n_unreachable: int = 0
    cut_id: str = ""


class _Order(NamedTuple):
    """What is to be written: a plan in a format, whole or the people of an earlier cut."""

    plan_id: str
    form: Format
    van_source: str
    out: Path | None
    cut_of: str | None = None
    only: frozenset[str] | None = None


def cut(
    campaign: Campaign,
    plan_id: str,
    out: Path | None = None,
    as_of: str | None = None,
    *,
    format: str = "mail",  # noqa: A002
    van_source: str = "van",
) -> Cut:
    """Write the list of a published plan; households held out as a control by any plan are never on it.

    Refusals and ballots are applied again, from the newest data there are, published or not.

    Args:
        campaign: The campaign.
        plan_id: The plan, the drawn test, the turfs, a list of `ballot_lists`; `visits` or `shifts` for a calendar.
        out: The file; `lists/PLAN-DAY.csv` in the campaign's folder unless given.
        as_of: A run's id; the newest published run unless given.
        format: The format: a key of `hustings.exports.formats.FORMATS`.
        van_source: For VAN: the source whose record ids are VANIDs.

    Returns:
        What was written; the cut is recorded in `cuts`, the people on it in `cut_people`.

    Raises:
        TableError: No plan has that name, it sends nothing, or nobody on it can be reached so.
        SettingError: The format is unknown, or the platform refuses such an audience itself.
        CampaignError: The file cannot be written.
        LockError: A run is at work.
    """
    form = format_of(format, campaign.playbook, campaign.country)
    return _written(campaign, _Order(plan_id, form, van_source, out), as_of)


def send(campaign: Campaign, cut_id: str, out: Path | None = None, *, van_source: str = "van") -> Cut:
    """Write an earlier cut again for the day on which it goes out, less whoever has refused or voted since.

    Args:
        campaign: The campaign.
        cut_id: A row of `cuts`.
        out: The file; beside the earlier one unless given.
        van_source: For VAN: the source whose record ids are VANIDs.

    Returns:
        What was written; it is a cut of its own in `cuts`, with `cut_of`.

    Raises:
        TableError: There is no such cut.
    """
    with closing(open_lake(campaign.store)) as lake:
        found = {row["cut_id"]: row for row in read(lake, "cuts").to_pyarrow().to_pylist()}
        if cut_id not in found:
            raise TableError.unknown("No such cut", cut_id, found, "hustings show cuts")
        before = found[cut_id]
        on_it = read(lake, "cut_people").filter(lambda t: t.cut_id == cut_id).person_id.to_pyarrow()
    form = format_of(before["format"] or "mail", campaign.playbook, campaign.country)
    if form.reads != "people":
        raise TableError.of(
            "A calendar is not sent again", received=cut_id, then="hustings export … --format ics"
        )
    old = Path(before["path"])
    now = datetime.datetime.now(datetime.UTC)
    path = out or old.with_name(f"{old.stem}-sent-{now:%Y-%m-%d}{old.suffix}")
    order = _Order(before["plan_id"], form, van_source, path, cut_id, frozenset(on_it.to_pylist()))
    return _written(campaign, order, before["run_id"])


def _written(campaign: Campaign, order: _Order, as_of: str | None) -> Cut:
    with locked(campaign.store):
        lake, run = open_published(campaign.store, as_of)
        with closing(lake):
            make = _people if order.form.reads == "people" else _calendar
            finish = make(campaign, lake, order)
        default = campaign.folder / FOLDER / f"{order.plan_id}-{run.at:%Y-%m-%d}.{_ending(order.form)}"
        path = order.out or default
        with closing(open_lake(campaign.store, write=True)) as latest:
            text, found, people = finish(latest)
            found = found._replace(path=path, cut_id=_new_id())
            _write(path, text)
            with latest.transaction():
                create_tables(latest)
                write(latest, "cuts", _record(found, order, run, text), "cuts")
                write(latest, "cut_people", _recorded_people(found.cut_id, people), "cuts")
    return found


Finish = Callable[[Lake], tuple[str, Cut, list[dict[str, Any]]]]


def _people(campaign: Campaign, lake: Lake, order: _Order) -> Finish:
    rows = listed(lake, order.plan_id, order.form, order.van_source)
    if order.only is not None:
        rows = [row for row in rows if row["person_id"] in order.only]

    def finish(latest: Lake) -> tuple[str, Cut, list[dict[str, Any]]]:
        kept = still_wanted(latest, rows, order.form, campaign.election_day, campaign.country)
        made, of = lines(kept.rows, order.form, campaign.country)
        if kept.rows and not made:
            raise TableError.of(
                f"Nobody on the list {order.plan_id} has {order.form.needs}", then="another format"
            )
        gone = len(kept.rows) - len(made)
        found = Cut(Path(), len(made), kept.n_opted_out, kept.n_voted, gone)
        return as_csv(made, order.form), found, [dict(row) for row in of]

    return finish


def _calendar(campaign: Campaign, lake: Lake, order: _Order) -> Finish:
    entries = appointments(lake, order.plan_id, campaign.name)
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    text = calendar(f"{campaign.name}: {order.plan_id}", entries, now)
    return lambda _: (text, Cut(Path(), len(entries), 0), [])


def _ending(form: Format) -> str:
    return form.suffix if form.name in ("mail", "ics") else f"{form.name}.{form.suffix}"


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CampaignError.of(
            f"The list cannot be written ({error.strerror})",
            received=str(path),
            then="name another file with --out",
        ) from None


def _new_id() -> str:
    now = datetime.datetime.now(datetime.UTC)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _record(found: Cut, order: _Order, run: Published, text: str) -> dict[str, list[Any]]:
    return {
        "cut_id": [found.cut_id],
        "plan_id": [order.plan_id],
        "run_id": [run.run_id],
        "format": [order.form.name],
        "cut_of": [order.cut_of],
        "path": [str(found.path)],
        "n_rows": [found.n_rows],
        "n_opted_out": [found.n_opted_out],
        "n_voted": [found.n_voted],
        "n_unreachable": [found.n_unreachable],
        "digest": [hashlib.sha256(text.encode()).hexdigest()],
        "cut_by": [_who()],
        "cut_at": [datetime.datetime.now(datetime.UTC).replace(tzinfo=None)],
    }


def _recorded_people(cut_id: str, people: list[dict[str, Any]]) -> dict[str, list[Any]]:
    people = list({row["person_id"]: row for row in people}.values())
    return {
        "cut_id": [cut_id] * len(people),
        "person_id": [row["person_id"] for row in people],
        "household_id": [row["household_id"] for row in people],
        "action": [row.get("action") for row in people],
    }


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
