"""A campaign's first day: a campaign.toml to start from, or a whole simulated campaign."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from string import Template

from hustings.campaign import FILE, Campaign, read_campaign
from hustings.errors import CampaignError

_TEXT = Template("""\
#:schema ./campaign.schema.json
# What this campaign is, where its data are, and what is asked of them. `hustings settings` explains every
# key; `hustings settings --schema campaign.schema.json` lets an editor complete and check them;
# `hustings check` says what is wrong, and `hustings run` does the work.

[campaign]
name = $name
election_day = $election_day
# as_of = $election_day   # nothing later is used; today unless given
# place = "Michigan"
# currency = "USD"        # amounts are in its hundredths
# seed = 1                # the same seed gives the same numbers
# retention_days = 30     # for how long `hustings tidy` keeps what earlier runs published

# ── where the data are, and what their columns mean ────────────────────────────────────────────────
# Take away the leading `# ` of what fits, and put your own names on the right-hand side.

# [sources.voters]
# path = "sources/voters.csv"   # CSV (comma, tab, pipe, semicolon; also .gz) or Parquet
#
# [sources.voters.records]      # table column = file column
# record_id = "voter_id"
# given_name = "first_name"
# family_name = "last_name"
# born_on = { column = "birth_date", date = "%m/%d/%Y" }
# sex = { column = "sex", values = { M = "male", F = "female" } }
# party = "party"
# address = "address"
# postcode = "zip"
# household_key = "household_id"
# place_id = "precinct"
#
# [[sources.voters.record_events]]   # columns of vote history become vote events
# kind = { constant = "vote" }
# keep = ["Y"]
# unpivot = [
#   { column = "general_24", name = "2024 general", election_kind = "general", happened_at = 2024-11-05 },
# ]

# [sources.opt_outs]
# path = "sources/opt_outs.csv"
# people_from = "voters"
#
# [[sources.opt_outs.opt_outs]]
# record_id = "voter_id"
# channel = "channel"
# given_on = "day"

# ── what was tested, what is predicted, what can be done, what is aimed at ─────────────────────────
# A test needs two more blocks in a source: record_assignments (who got which arm, at random) and
# record_outcomes (what then happened). `hustings demo` makes a whole campaign to look at.

# [experiments.mailers]
# unit = "household"
# control = "control"
# measured_by = ["voted"]

# [scores.turnout]
# outcome = "voted"
""")


def start_campaign(folder: Path, *, name: str = "", election_day: datetime.date | None = None) -> Path:
    """A commented campaign.toml in a folder.

    Args:
        folder: Where; made when it is not there.
        name: The campaign's name; the folder's unless given.
        election_day: The day that decides; `next_november` unless given.

    Returns:
        The file.

    Raises:
        CampaignError: There is one already, or it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     read_campaign(start_campaign(Path(parent) / "ann", name="Ann for mayor").parent).name
    'Ann for mayor'
    """
    path = folder / FILE
    day = election_day or next_november(datetime.datetime.now(datetime.UTC).date())
    text = _TEXT.substitute(
        name=json.dumps(name or folder.resolve().name or "Campaign", ensure_ascii=False), election_day=day
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise CampaignError.of(
            f"There is a {FILE} already, and nothing is written over"
            if path.exists()
            else "The folder's name is taken by a file",
            received=str(path),
            then="edit it, or name another folder",
        ) from None
    except OSError as error:
        raise CampaignError.of(
            f"{FILE} cannot be written ({error.strerror})", received=str(path), then="name another folder"
        ) from None
    return path


def next_november(today: datetime.date) -> datetime.date:
    """The next election day of the United States: the Tuesday after the first Monday of November.

    >>> next_november(datetime.date(2026, 3, 1))
    datetime.date(2026, 11, 3)
    """
    for year in (today.year, today.year + 1):
        first = datetime.date(year, 11, 1)
        day = first + datetime.timedelta(days=(7 - first.weekday()) % 7 + 1)
        if day >= today:
            break
    return day


def start_demo(folder: Path, *, people: int = 50_000, seed: int = 7) -> Campaign:
    """A simulated campaign in a folder; the one that is there, when the same people and seed made it.

    Args:
        folder: Where.
        people: Registered voters, 1,000 to 1,000,000.
        seed: Seed of all randomness, 0 or more.

    Returns:
        The campaign, not yet run.

    Raises:
        CampaignError: The folder holds something else, or cannot be written.
        DesignError: The number of people, or the seed, is out of its range.
    """
    from hustings.simulate import write_campaign
    from hustings.simulate.declaration import declaration

    try:
        same = (folder / FILE).read_text(encoding="utf-8") == declaration(people, seed)
    except (OSError, UnicodeDecodeError):
        same = False
    if not same:
        write_campaign(folder, people=people, seed=seed)
    return read_campaign(folder)
