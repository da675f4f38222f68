"""Everything that can be known to be wrong with a campaign before it runs: all of it, and nothing written."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hustings.campaign import FILE, Campaign, head_faults, read_campaign, read_content
from hustings.errors import CampaignError, HustingsError
from hustings.instances import faults, instances
from hustings.order import load_stages, plan
from hustings.playbooks import PLAYBOOKS
from hustings.sources.collect import located
from hustings.sources.mapping import Block, block_faults
from hustings.stage import Stage
from hustings.warehouse.connect import exists
from hustings.warehouse.landing import columns_of
from hustings.warehouse.runs import open_published


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        what: `campaign.toml`, `sources.voters`, `stages`, `warehouse`.
        fine: Whether a run may rely on it.
        text: What is there, or what is wrong and what to do about it.
    """

    what: str
    fine: bool
    text: str


def check(folder: Path) -> Iterator[Finding]:
    """Look at a campaign's settings, sources, order of work, and warehouse.

    Args:
        folder: The folder with campaign.toml; nothing in it is written.

    Yields:
        What was found, fine or not.
    """
    try:
        content = read_content(folder)
        wrong: list[HustingsError] = [*head_faults(content["campaign"])]
        campaign = _campaign(folder, content, broken=bool(wrong))
        stages = load_stages(campaign)
    except CampaignError as error:
        yield Finding(FILE, False, str(error))
        return
    wrong += faults(campaign, stages)
    yield from (Finding(FILE, False, str(error)) for error in wrong)
    if not wrong:
        sections = ", ".join(f"[{name}]" for name in ("campaign", *campaign.sections))
        yield Finding(FILE, True, f"{campaign.name}: every setting is known and allowed, in {sections}")
    sources = campaign.sections.get("sources")
    if not isinstance(sources, Mapping) or not sources:
        sources = {}
        yield Finding("sources", False, f"No file is named. Next: add a section [sources.NAME] to {FILE}")
    for name, given in sources.items():
        if isinstance(given, Mapping):
            yield from _source(campaign, name, given, stages, known=sources)
    if not wrong:
        yield _order(campaign, stages)
    yield _warehouse(campaign)


def _campaign(folder: Path, content: dict[str, Any], *, broken: bool) -> Campaign:
    """The campaign; where its head is broken, one that lets the other sections be looked at."""
    if not broken:
        return read_campaign(folder)
    day = datetime.date(2000, 1, 1)
    sections = {name: given for name, given in content.items() if name != "campaign"}
    playbook = content["campaign"].get("playbook", PLAYBOOKS[0])
    return Campaign(folder, "", day, day, playbook=str(playbook), sections=sections)


def _source(
    campaign: Campaign, name: str, given: Mapping[str, Any], stages: Sequence[Stage], known: Mapping[str, Any]
) -> Iterator[Finding]:
    what = f"sources.{name}"
    if not isinstance(given.get("path"), str):
        return
    found: list[HustingsError] = []
    columns: tuple[str, ...] | None = None
    try:
        path = located(given["path"], campaign.folder)
        columns = columns_of(
            path, delimiter=given.get("delimiter"), encoding=str(given.get("encoding", "utf-8"))
        )
    except HustingsError as error:
        found.append(error)
    of = given.get("people_from")
    if of is not None and of not in known:
        found.append(HustingsError.unknown(f"[{what}] people_from: unknown source", str(of), known))
    blocks = list(_blocks(campaign, name, given, stages))
    for table, block in blocks:
        found += block_faults(name, table, block, columns)
    yield from (Finding(what, False, str(error)) for error in found)
    if not found:
        tables = ", ".join(dict.fromkeys(table for table, _ in blocks))
        yield Finding(what, True, f"{path}: {len(columns or ())} columns; fills {tables}")


def _blocks(
    campaign: Campaign, name: str, given: Mapping[str, Any], stages: Sequence[Stage]
) -> Iterator[tuple[str, Block]]:
    """The blocks of a source whose settings are right; what is wrong with others is told elsewhere."""
    alone = dataclasses.replace(campaign, sections={"sources": {name: given}})
    try:
        found = list(instances(alone, [stage for stage in stages if stage.section == "sources"]))
    except HustingsError:
        return
    for key, value in found[0].settings.items() if found else ():
        for block in value if isinstance(value, list) else [value]:
            if isinstance(block, Block):
                yield key, block


def _order(campaign: Campaign, stages: Sequence[Stage]) -> Finding:
    try:
        nodes = plan(campaign, stages=stages)
    except HustingsError as error:
        return Finding("stages", False, str(error))
    return Finding("stages", True, f"{len(nodes)} pieces of work, in an order in which they can be done")


def _warehouse(campaign: Campaign) -> Finding:
    if not exists(campaign.store):
        return Finding("warehouse", True, "there is none yet; hustings run makes it")
    try:
        lake, run = open_published(campaign.store)
        lake.close()
    except HustingsError as error:
        return Finding("warehouse", False, str(error))
    return Finding("warehouse", True, f"readers see run {run.run_id}")
