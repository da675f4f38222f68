"""Ways to reach people: one frozen value each."""

from __future__ import annotations

from hustings.channels.channel import Channel
from hustings.channels.door import DOOR
from hustings.channels.email import EMAIL
from hustings.channels.friend import FRIEND
from hustings.channels.mail import MAIL
from hustings.channels.phone import PHONE
from hustings.channels.text import TEXT
from hustings.errors import SettingError

__all__ = ["CHANNELS", "Channel", "channel"]

CHANNELS: dict[str, Channel] = {value.name: value for value in (MAIL, PHONE, DOOR, TEXT, EMAIL, FRIEND)}


def channel(name: str) -> Channel:
    """The channel of that name.

    Raises:
        SettingError: There is no such channel.

    >>> channel("mail").reaches
    'household'
    """
    if name not in CHANNELS:
        raise SettingError.unknown("Unknown channel", name, CHANNELS, "edit campaign.toml")
    return CHANNELS[name]
