"""campaign.toml ─► what can be done, at what cost, and who must approve it."""

from __future__ import annotations

import datetime
from typing import Annotated

from hustings.channels import channel as channel_of
from hustings.errors import SettingError
from hustings.stage import About, Result, stage


@stage(writes="actions", each="action")
def declare_actions(
    *,
    action: str,
    experiment: Annotated[
        str, About("The test that measured it: an `[experiments.…]` section; empty where no own test did.")
    ] = "",
    arm: Annotated[str, About("Its arm in that test.")] = "",
    channel: Annotated[str, About("`mail`, `phone`, `door`, `text` or `email`.")] = "mail",
    unit_cost_cents: Annotated[
        int | None, About("Cost of one unit in cents; the channel's usual unless given.", ge=0)
    ] = None,
    needs_approval: Annotated[
        bool, About("May not be recommended before someone has put a name to it.")
    ] = False,
    approved_by: Annotated[str, About("Who approved it; empty for nobody.")] = "",
    concern: Annotated[str, About("Why it needs approval: shown wherever the action is.")] = "",
    kind: Annotated[
        str, About("Of actions of one kind, as one letter on several dates, a household gets one.")
    ] = "",
    sent_on: Annotated[datetime.date | None, About("When it goes out; free unless given.")] = None,
    most: Annotated[
        int | None, About("Units that there can be at most: the pieces of a mail date.", ge=0)
    ] = None,
    smallest: Annotated[int, About("Units below which it is not done at all.", ge=0)] = 0,
    unit_minutes: Annotated[float, About("Of a caller or a canvasser, for one unit.", ge=0)] = 0.0,
) -> Result:
    """One action."""
    if bool(experiment) != bool(arm):
        raise SettingError.of(
            f"[actions.{action}]: a test and its arm go together",
            received=experiment or arm,
            allowed="experiment and arm, or neither",
        )
    through = channel_of(channel)
    return {
        "action": [action],
        "channel": [channel],
        "experiment": [experiment or None],
        "arm": [arm or None],
        "unit_cost_cents": [through.unit_cost_cents if unit_cost_cents is None else unit_cost_cents],
        "reaches": [through.reaches],
        "needs_approval": [needs_approval],
        "approved_by": [approved_by.strip() or None],
        "concern": [concern or None],
        "kind": [kind or None],
        "sent_on": [sent_on],
        "most": [most],
        "smallest": [smallest],
        "unit_minutes": [unit_minutes],
    }
