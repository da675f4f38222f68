"""The director's one-page briefing: facts in, one self-contained HTML page out. Pure: no file, no clock."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hustings.briefing import look, panels, pictures, race, sections
from hustings.briefing.cards import cards
from hustings.briefing.facts import Facts

__all__ = ["Facts", "render"]


def render(facts: Facts) -> str:
    """The briefing as one HTML page with its charts, fonts and style inside.

    It asks nothing of the network and runs no script: its content security policy allows one style, named by
    its digest, and pictures and fonts that are data.

    Args:
        facts: Rows under the tables' own column names; any part may be empty.

    Returns:
        HTML text, some 120 kB, and up to 60 kB for each card.

    >>> render(Facts(name="A < B")).count("A &lt; B") > 0
    True
    """
    style = look.stylesheet()
    found = sections.findings(facts)
    return (
        _environment()
        .get_template("briefing.html")
        .render(
            style=Markup(style),
            policy=_policy(style),
            name=look.clean(facts.name) or "Briefing",
            summary=sections.summary(facts),
            dateline=sections.dateline(facts),
            headline=found[0] if found else None,
            others=found[1:],
            decisions=sections.decisions(facts),
            concerns=sections.concerns(facts),
            races=race.races(facts),
            panels=panels.panels(facts),
            goals=sections.goals(facts),
            lifts=pictures.lift_pictures(facts),
            reliability=pictures.reliability_picture(facts),
            options=pictures.option_pictures(facts),
            sources=sections.sources(facts),
            sources_finding=sections.sources_finding(facts),
            basis=sections.basis(facts),
            unknowns=sections.unknowns(facts),
            cards=cards(facts),
        )
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("hustings.briefing", "templates")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
