"""What each ad platform says of political audiences: a file that it would not take is not made.

Read on `READ_ON` in stored copies of the sources named, whose own dates stand in `dated`. Platforms change
their rules: look again before you rely on this table.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from hustings.errors import SettingError

READ_ON = datetime.date(2026, 11, 24)

EUROPEAN_UNION = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)


@dataclass(frozen=True)
class Platform:
    """One ad platform's word on a political campaign's audience files.

    Attributes:
        name: As after `--format`.
        title: The platform's own name.
        ban: What it forbids, or None where it takes such a file.
        countries: Where the ban holds; None for everywhere.
        source: Where that is written.
        dated: The date of what was read.
    """

    name: str
    title: str
    ban: str | None
    countries: frozenset[str] | None
    source: str
    dated: str


PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform(
            "meta",
            "Meta (Facebook, Instagram)",
            "it carries no political, electoral or social issue ads in the European Union",
            EUROPEAN_UNION,
            "about.fb.com, Ending political, electoral and social issue advertising in the EU",
            "2025-07, in force since 2025-10-06",
        ),
        Platform(
            "google",
            "Google (Search, YouTube, Display & Video 360)",
            "its election ads may be aimed by age, gender, place and context only, not by uploaded audiences or "
            "voter files",
            None,
            "Google Ads, Political content; An update on our political ads policy",
            "2019-11 (in force since 2020-01-06), targeting restrictions still named in 2024 and 2026-03",
        ),
        Platform(
            "linkedin",
            "LinkedIn",
            "it carries no political ads",
            None,
            "LinkedIn Advertising Policies, as reported by Privacy International and others",
            "2018-05 to 2020",
        ),
        Platform(
            "tiktok",
            "TikTok",
            "it carries no political ads, and candidates and parties may not advertise at all",
            None,
            "TikTok Ads policy: Politics, Religion, and Culture",
            "2024-06",
        ),
        Platform(
            "pinterest",
            "Pinterest",
            "it carries no ads of political campaigns",
            None,
            "Pinterest Advertising guidelines, as reported by Privacy International and Adweek; one later "
            "summary speaks of authorisation instead, so ask Pinterest",
            "2019 to 2020",
        ),
        Platform(
            "microsoft",
            "Microsoft Advertising (Bing)",
            "it carries no ads for elections, candidates, parties or ballot measures, nor for their funds",
            None,
            "Microsoft Advertising policies, as stated under the EU Code of Practice on Disinformation",
            "2024",
        ),
    )
}


def check_platform(name: str, playbook: str, country: str) -> None:
    """Refuse an audience file that the platform itself refuses; a name of no platform is let pass.

    Args:
        name: A format's or a platform's name.
        playbook: The campaign's field of use: the bans are on elections.
        country: Where, ISO 3166.

    Raises:
        SettingError: With the platform's name, its rule and where that is written.

    >>> check_platform("meta", "election", "US")
    >>> check_platform("linkedin", "election", "US")
    Traceback (most recent call last):
    ...
    hustings.errors.SettingError: LinkedIn takes no such audience: it carries no political ads (LinkedIn \
Advertising Policies, as reported by Privacy International and others; 2018-05 to 2020; read 2026-11-24). Next: \
another format; a list can still be mailed, called or texted.
    """
    platform = PLATFORMS.get(name)
    if platform is None or platform.ban is None or playbook != "election":
        return
    if platform.countries is None or country in platform.countries:
        raise SettingError(
            f"{platform.title} takes no such audience: {platform.ban} ({platform.source}; {platform.dated}; "
            f"read {READ_ON}). Next: another format; a list can still be mailed, called or texted."
        )
