"""The ship: what plugins are written against. Nothing heavy is imported here.

Three faces: `bot` for a plugin's commands, `bot.words` for its pure modules, `bot.testing` for its tests.
"""

from bot import words
from bot.coop.spans import size, span
from bot.core.helptext import detail, group, overview
from bot.core.plugin import Plugin
from bot.core.registry import Registry
from bot.core.rules import Rule, admins, anyone, members, oneself, owner_of
from bot.errors import (
    Conflict,
    Expired,
    Fault,
    HypervisorFault,
    NotAllowed,
    NotFound,
    Refusal,
    StoreFault,
    TransportFault,
    Usage,
)
from bot.ports import (
    Ask,
    Book,
    Clock,
    Entropy,
    Entry,
    HostReading,
    Hypervisor,
    Links,
    LinkStatus,
    Meter,
    Registrar,
    Report,
    Roster,
    Row,
    Store,
    Tx,
)
from bot.words import *  # noqa: F403 - the words are part of this face; words.__all__ says which

__all__ = [
    *words.__all__,
    "Ask",
    "Book",
    "Clock",
    "Conflict",
    "Entropy",
    "Entry",
    "Expired",
    "Fault",
    "HostReading",
    "Hypervisor",
    "HypervisorFault",
    "LinkStatus",
    "Links",
    "Meter",
    "NotAllowed",
    "NotFound",
    "Plugin",
    "Refusal",
    "Registrar",
    "Registry",
    "Report",
    "Roster",
    "Row",
    "Rule",
    "Store",
    "StoreFault",
    "TransportFault",
    "Tx",
    "Usage",
    "admins",
    "anyone",
    "detail",
    "group",
    "members",
    "oneself",
    "overview",
    "owner_of",
    "size",
    "span",
    "words",
]
