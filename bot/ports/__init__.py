"""The world as protocols: each has a real part and a fake beside it that passes the same contract tests."""

from bot.ports.chat import Links, LinkStatus, Report, Road, Transport
from bot.ports.machines import HostReading, Hypervisor, Meter
from bot.ports.people import Registrar, Roster
from bot.ports.store import Ask, Book, Dispatch, Entry, Row, Store, Tx
from bot.ports.world import Clock, Entropy, Incidents

__all__ = [
    "Ask",
    "Book",
    "Clock",
    "Dispatch",
    "Entropy",
    "Entry",
    "HostReading",
    "Hypervisor",
    "Incidents",
    "LinkStatus",
    "Links",
    "Meter",
    "Registrar",
    "Report",
    "Road",
    "Roster",
    "Row",
    "Store",
    "Transport",
    "Tx",
]
