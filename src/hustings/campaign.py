"""campaign.toml: what the campaign is, and the settings of every stage."""

from __future__ import annotations

import datetime
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hustings.errors import CampaignError, SettingError

FILE = "campaign.toml"
AIMS = ("added_ballots", "net_votes", "win")
_HELP = "hustings settings"


@dataclass(frozen=True)
class Campaign:
    """One campaign's folder and what its campaign.toml says.

    Attributes:
        folder: The folder that holds campaign.toml and the warehouse.
        name: Shown at the head of every page.
        election_day: The day that decides.
        as_of: Nothing later is used; today (UTC) where the file does not say.
        place: Where it is held.
        country: Whose telephone numbers and rules count, as an ISO 3166 code.
        currency: Of all amounts, as an ISO 4217 code.
        playbook: Which stages run.
        aim: What a plan's gain is counted in, as in `AIMS`.
        decisive_race: The race whose `vote_values` say what a net vote is worth.
        seed: Of all randomness.
        retention_days: How long published snapshots are kept by `hustings tidy`.
        sections: Every other section, as read.
    """

    folder: Path
    name: str
    election_day: datetime.date
    as_of: datetime.date
    place: str = ""
    country: str = "US"
    currency: str = "USD"
    playbook: str = "election"
    aim: str = "added_ballots"
    decisive_race: str = ""
    seed: int = 0
    retention_days: int = 30
    sections: Mapping[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        """The warehouse's own folder."""
        return self.folder / ".hustings"


ABOUT = {
    "name": "The campaign's name, at the head of every page.",
    "election_day": "The day that decides.",
    "as_of": "Nothing that happened on this day or later, or arrived after it began, is used; today unless given.",
    "place": "Where the election is held.",
    "country": "Country, an ISO 3166 code of two letters: whose telephone numbers and ad platforms' rules count.",
    "currency": "Currency of all amounts, an ISO 4217 code; amounts are in its hundredths.",
    "playbook": "Which field of use: it names the stages that run.",
    "aim": "What every plan's gain is counted in: `added_ballots`, `net_votes` or `win` (probability of winning, to first order: too much for a plan that moves it by tenths).",
    "decisive_race": "The race, a `[races.…]` section, whose odds are to be moved; needed for the aim `win`.",
    "seed": "Seed of all randomness: the same seed gives the same numbers.",
    "retention_days": "Days for which `hustings tidy` keeps published snapshots.",
}


def read_campaign(folder: Path | str) -> Campaign:
    """The campaign in a folder.

    Args:
        folder: The folder with campaign.toml.

    Returns:
        The campaign; its other sections are checked when the stages that own them are known.

    Raises:
        CampaignError: There is no such file, or it is not TOML.
        SettingError: A key of `[campaign]` is unknown, missing, or of a wrong type.
    """
    folder = Path(folder)
    content = read_content(folder)
    head = dict(content.pop("campaign"))
    for fault in head_faults(head):
        raise fault
    head.setdefault("as_of", datetime.datetime.now(datetime.UTC).date())
    return Campaign(folder=folder, sections=content, **head)


def read_content(folder: Path) -> dict[str, Any]:
    """What a folder's campaign.toml holds, with a section `campaign`; nothing else of it is checked.

    Raises:
        CampaignError: There is no such file, it is not TOML, or it has no such section.
    """
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CampaignError.of(
            "No campaign here", received=str(path), then="hustings init, or name its folder with -C DIR"
        ) from None
    except UnicodeDecodeError as error:
        raise CampaignError.of(
            f"{FILE} is not UTF-8 (byte {error.start})", received=str(path), then="save it as UTF-8"
        ) from None
    except OSError as error:
        raise CampaignError.of(
            f"{FILE} cannot be read ({error.strerror})", received=str(path), then="check its permissions"
        ) from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError.of(f"{FILE} is not valid TOML: {error}", then=f"edit {path}") from None
    if not isinstance(content.get("campaign"), dict):
        raise CampaignError.of(
            f"{FILE} has no [campaign] section",
            received=", ".join(content) or "an empty file",
            then="hustings settings, for what may stand in it",
        )
    return content


def head_faults(head: Mapping[str, Any]) -> Iterator[SettingError]:
    """Everything that is wrong with the keys of `[campaign]`."""
    types: dict[str, type] = {
        name: kind
        for kind, names in (
            (str, ("name", "place", "country", "currency", "playbook", "aim", "decisive_race")),
            (int, ("seed", "retention_days")),
            (datetime.date, ("election_day", "as_of")),
        )
        for name in names
    }
    for key, value in head.items():
        if key not in types:
            yield SettingError.unknown("[campaign]: unknown setting", key, types, _HELP)
            continue
        wrong = not isinstance(value, types[key]) or isinstance(value, (bool, datetime.datetime))
        if wrong:
            kinds = {str: "a text", int: "a whole number", datetime.date: "a day, as 2026-11-03"}
            what = f"[campaign] {key} has a wrong type"
            yield SettingError.of(what, received=value, allowed=kinds[types[key]], then=_HELP)
    for key in ("name", "election_day"):
        if key not in head:
            yield SettingError.of(f"[campaign] {key} is missing", allowed=ABOUT[key], then=_HELP)
    yield from _odd_values(head)


def _odd_values(head: Mapping[str, Any]) -> Iterator[SettingError]:
    """Values of a right type that mean nothing."""
    currency = head.get("currency", "USD")
    if isinstance(currency, str) and not re.fullmatch(r"[A-Z]{3}", currency):
        yield SettingError.of(
            "[campaign] currency", received=currency, allowed="three capital letters, as USD"
        )
    country = head.get("country", "US")
    if isinstance(country, str) and not re.fullmatch(r"[A-Z]{2}", country):
        yield SettingError.of("[campaign] country", received=country, allowed="two capital letters, as US")
    aim = head.get("aim", AIMS[0])
    if isinstance(aim, str) and aim not in AIMS:
        yield SettingError.of("[campaign] aim", received=aim, allowed=", ".join(AIMS), then=_HELP)
    if aim == "win" and not head.get("decisive_race"):
        yield SettingError.of(
            "[campaign] decisive_race is missing", allowed=ABOUT["decisive_race"], then=_HELP
        )
    for key, least in (("retention_days", 1), ("seed", 0)):
        number = head.get(key, least)
        if isinstance(number, int) and number < least:
            yield SettingError.of(f"[campaign] {key}", received=number, allowed=f"{least} or more")


def expand(path: str, folder: Path, defaults: Mapping[str, str] | None = None) -> Path:
    """A path of campaign.toml with its environment variables, relative to the campaign's folder.

    Args:
        path: As written: `${HUSTINGS_DATA}/michigan-2006/voters.parquet`.
        folder: The campaign's folder.
        defaults: Values for variables that are not set.

    Returns:
        The path.

    Raises:
        SettingError: A variable is not set and has no default.

    >>> expand("${DATA}/a.csv", Path("."), {"DATA": "lists"}).as_posix()
    'lists/a.csv'
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        found = os.environ.get(name) or (defaults or {}).get(name)
        if found is None:
            raise SettingError.of(
                f"The environment variable {name} is not set", received=path, then=f"export {name}=FOLDER"
            )
        return found

    expanded = Path(re.sub(r"\$\{(\w+)\}|\$(\w+)", value, path)).expanduser()
    return expanded if expanded.is_absolute() else folder / expanded
