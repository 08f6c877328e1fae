"""A small IRC server for one machine: the newcomer's try-out, and the test double of the IRC transport.

It speaks RFC 2812 as far as people and bots use it, and of IRCv3 what proves who speaks: CAP 302, SASL PLAIN,
account-tag, account-notify, extended-join, WHOX. It listens on loopback addresses only and keeps nothing.
"""

from bot.demo.ircd.realm import Client, Limits, Room
from bot.demo.ircd.server import Ircd

__all__ = ["Client", "Ircd", "Limits", "Room"]
