"""The published tables ─► the briefing, as one page that can be mailed, printed or opened."""

from __future__ import annotations

import datetime
import os
from contextlib import closing
from pathlib import Path
from typing import Any

from hustings.briefing import panels
from hustings.briefing.counted import in_points
from hustings.briefing.facts import Facts
from hustings.campaign import Campaign
from hustings.errors import CampaignError
from hustings.warehouse import Lake, open_published, read

FILE = "briefing.html"
_FORECAST = ("odds", "forecast", "forecast_days", "forecast_moves", "forecast_checks", "vote_values")


def write_page(campaign: Campaign, out: Path | None = None, as_of: str | None = None) -> Path:
    """Write the briefing of a published run.

    Args:
        campaign: The campaign.
        out: The file; `briefing.html` in the campaign's folder unless given.
        as_of: A run's id; the newest published run unless given.

    Returns:
        The file that was written.

    Raises:
        WarehouseError: Nothing has been published.
        CampaignError: The file cannot be written.
    """
    from hustings.briefing.page import render

    path = out or campaign.folder / FILE
    page = render(gather(campaign, as_of))
    # Beside its place and then moved there: a reader never meets half a page.
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CampaignError.of(
            f"The briefing cannot be written ({error.strerror})",
            received=str(path),
            then="name another file with --out",
        ) from None
    return path


def gather(campaign: Campaign, as_of: str | None = None) -> Facts:
    """What the page says, from one published run.

    Args:
        campaign: The campaign.
        as_of: A run's id; the newest unless given.

    Returns:
        Rows under the tables' column names.
    """
    lake, run = open_published(campaign.store, as_of)
    with closing(lake):
        day = _day(lake, campaign)
        rows = {
            name: _rows(lake, name)
            for name in ("briefing", "decisions", "goals", "lifts", "experiments", "options", "actions")
        }
        forecast = {name: _rows(lake, name) for name in _FORECAST}
        return Facts(
            name=campaign.name,
            place=campaign.place,
            election_day=campaign.election_day,
            as_of=day,
            currency=campaign.currency,
            run_id=run.run_id,
            published_at=run.at,
            findings=rows["briefing"],
            decisions=[in_points(row) for row in rows["decisions"] if row["as_of"] == day],
            goals=rows["goals"],
            lifts=[row for row in rows["lifts"] if _is_pictured(row)],
            experiments=rows["experiments"],
            models=_rows(lake, "models", "model"),
            options=[in_points(row) for row in rows["options"]],
            actions=rows["actions"],
            sources=_sources(lake, day),
            **forecast,
            tables={name: _rows(lake, name) for name in panels.tables()},
        )


def _is_pictured(row: dict[str, Any]) -> bool:
    # The pictures are in points; an amount is told in the findings.
    return row["estimator"] == "intention_to_treat" and row["unit"] != "amount"


def _day(lake: Lake, campaign: Campaign) -> Any:
    found = [row["as_of"] for row in _rows(lake, "briefing")]
    return found[0] if found else campaign.as_of


def _rows(lake: Lake, name: str, *without: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read(lake, name).drop(*without).to_pyarrow().to_pylist()
    return rows


def _sources(lake: Lake, day: datetime.date) -> list[dict[str, Any]]:
    """The newest load of each source, why rows were set aside, and how old its file was on the day."""
    loads = sorted(_rows(lake, "loads"), key=lambda row: row["loaded_at"])
    newest = {row["source"]: row for row in loads}
    rejects = read(lake, "rejects")
    counted = rejects.group_by("source", "load_id", "reasons").agg(n=rejects.count()).to_pyarrow().to_pylist()
    for row in newest.values():
        own = [c for c in counted if (c["source"], c["load_id"]) == (row["source"], row["load_id"])]
        own.sort(key=lambda c: (-c["n"], c["reasons"]))
        row["reasons"] = [{"reason": c["reasons"], "n": c["n"]} for c in own]
        row["age_days"] = max((day - row["arrived_at"].date()).days, 0)
    return list(newest.values())
