"""A contact plan, or the arms of a drawn test ─► the list for the mail house, cut once more against the opt-outs."""

from __future__ import annotations

import csv
import datetime
import getpass
import hashlib
import io
import os
import secrets
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from hustings.campaign import Campaign
from hustings.channels import channel
from hustings.errors import CampaignError, TableError
from hustings.exports.arms import drawn_tests, listed_arms
from hustings.warehouse import Lake, Published, locked, open_lake, open_published, read, write

FOLDER = "lists"
COLUMNS = ("plan_id", "action", "household_id", "person_id", "given_name", "family_name", "address", "postcode", "phone", "email")  # fmt: skip


class Cut(NamedTuple):
    """One list that was written.

    Attributes:
        path: The file, readable by its owner only.
        n_rows: People on it, one for each household that is to be reached.
        n_opted_out: People of the plan left out now because they, or someone they live with, have refused.
    """

    path: Path
    n_rows: int
    n_opted_out: int


def cut(campaign: Campaign, plan_id: str, out: Path | None = None, as_of: str | None = None) -> Cut:
    """Write the list of a published plan or drawn test: who is to be reached, control left out.

    Opt-outs are applied again, from the newest data there is, published or not.

    Args:
        campaign: The campaign.
        plan_id: The plan, or the test.
        out: The file; `lists/PLAN-DAY.csv` in the campaign's folder unless given.
        as_of: A run's id; the newest published run unless given.

    Returns:
        What was written; the cut is recorded in `cuts`.

    Raises:
        TableError: No plan and no drawn test has that name, or it sends nothing.
        CampaignError: The file cannot be written.
        LockError: A run is at work.
    """
    with locked(campaign.store):
        lake, run = open_published(campaign.store, as_of)
        with closing(lake):
            listed = _listed(lake, plan_id)
        with closing(open_lake(campaign.store, write=True)) as latest:
            refused = _refused(latest)
            kept = [row for row in listed if not _is_refused(row, refused)]
            path = out or campaign.folder / FOLDER / f"{plan_id}-{run.at:%Y-%m-%d}.csv"
            text = _csv(kept)
            _write(path, text)
            found = Cut(path, len(kept), len(listed) - len(kept))
            with latest.transaction():
                write(latest, "cuts", _record(found, plan_id, run, text), "cuts")
    return found


def _listed(lake: Lake, plan_id: str) -> list[dict[str, Any]]:
    plan = read(lake, "contact_plan")
    plans = sorted(set(read(lake, "decisions").plan_id.to_pyarrow().to_pylist()))
    if plan_id not in plans:
        drawn = listed_arms(lake, plan_id)
        if drawn is None:
            known = [*plans, *drawn_tests(lake)]
            raise TableError.unknown("No such plan or drawn test", plan_id, known, "hustings show decisions")
        return drawn
    chosen = plan.filter((plan.plan_id == plan_id) & plan.is_addressee & ~plan.held_out)
    private, actions = (
        read(lake, "people_private"),
        read(lake, "actions").select("action", "channel", "reaches"),
    )
    rows = chosen.left_join(private, "person_id", rname="{name}_p").join(actions, "action", rname="{name}_a")
    found: list[dict[str, Any]] = rows.order_by("household_id", "person_id").to_pyarrow().to_pylist()
    if not found:
        raise TableError.of(
            f"The plan {plan_id} sends nothing", then="hustings show decisions, which says why"
        )
    for row in found:
        row["channels"] = [channel(row["channel"]).name]
    return found


def _refused(lake: Lake) -> dict[str, set[str]]:
    """Households in which somebody has refused, by channel."""
    opt_outs, identities, people = (read(lake, name) for name in ("opt_outs", "identities", "people"))
    same = [opt_outs.record_source == identities.source, opt_outs.record_id == identities.record_id]
    who = opt_outs.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    homes = who.join(people.select("person_id", "household_id"), "person_id", rname="{name}_p")
    found: dict[str, set[str]] = {}
    for row in homes.select("channel", "household_id").distinct().to_pyarrow().to_pylist():
        found.setdefault(row["channel"], set()).add(row["household_id"])
    return found


def _is_refused(row: dict[str, Any], refused: dict[str, set[str]]) -> bool:
    return any(row["household_id"] in refused.get(name, ()) for name in ("all", *row["channels"]))


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(row[name]) for name in COLUMNS} for row in rows)
    return text.getvalue()


def _harmless(value: Any) -> Any:
    # A spreadsheet runs a cell that begins like a formula; an apostrophe makes it text.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CampaignError.of(
            f"The list cannot be written ({error.strerror})",
            received=str(path),
            then="name another file with --out",
        ) from None


def _record(found: Cut, plan_id: str, run: Published, text: str) -> dict[str, list[Any]]:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    return {
        "cut_id": [f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"],
        "plan_id": [plan_id],
        "run_id": [run.run_id],
        "path": [str(found.path)],
        "n_rows": [found.n_rows],
        "n_opted_out": [found.n_opted_out],
        "digest": [hashlib.sha256(text.encode()).hexdigest()],
        "cut_by": [_who()],
        "cut_at": [now],
    }


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
