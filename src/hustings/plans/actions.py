"""campaign.toml ─► what can be done, at what cost, and who must approve it."""

from __future__ import annotations

from typing import Annotated

from hustings.channels import channel as channel_of
from hustings.stage import About, Result, stage


@stage(writes="actions", each="action")
def declare_actions(
    *,
    action: str,
    experiment: Annotated[str, About("The test that measured it: an `[experiments.…]` section.")],
    arm: Annotated[str, About("Its arm in that test.")],
    channel: Annotated[str, About("`mail`, `phone`, `door`, `text` or `email`.")] = "mail",
    unit_cost_cents: Annotated[
        int | None, About("Cost of one unit in cents; the channel's usual unless given.", ge=0)
    ] = None,
    needs_approval: Annotated[
        bool, About("May not be recommended before someone has put a name to it.")
    ] = False,
    approved_by: Annotated[str, About("Who approved it; empty for nobody.")] = "",
    concern: Annotated[str, About("Why it needs approval: shown wherever the action is.")] = "",
) -> Result:
    """One action."""
    through = channel_of(channel)
    return {
        "action": [action],
        "channel": [channel],
        "experiment": [experiment],
        "arm": [arm],
        "unit_cost_cents": [through.unit_cost_cents if unit_cost_cents is None else unit_cost_cents],
        "reaches": [through.reaches],
        "needs_approval": [needs_approval],
        "approved_by": [approved_by.strip() or None],
        "concern": [concern or None],
    }
