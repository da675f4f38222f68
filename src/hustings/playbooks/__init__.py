"""Fields of use: which stages run, as `module:function` texts. Data only."""

from __future__ import annotations

from importlib import import_module

from hustings.errors import CampaignError

PLAYBOOKS = ("election",)


def stages(name: str) -> tuple[str, ...]:
    """The stages of one playbook.

    Args:
        name: A playbook.

    Returns:
        `module:function` texts.

    Raises:
        CampaignError: There is no such playbook.

    >>> stages("election")[0]
    'hustings.sources.collect:collect'
    """
    if name not in PLAYBOOKS:
        raise CampaignError.unknown("[campaign] playbook: unknown playbook", name, PLAYBOOKS)
    found: tuple[str, ...] = import_module(f"hustings.playbooks.{name}").STAGES
    return found
