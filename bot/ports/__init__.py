"""The world as protocols: each has a real part and a fake beside it that passes the same contract tests."""

from bot.ports.chat import Draw, Links, LinkStatus, Loudspeaker, Report, Road, Transport
from bot.ports.machines import HostReading, Hypervisor, Meter, Slot, TrafficReading
from bot.ports.outgoing import Backlog, Outgoing
from bot.ports.people import Registrar, Roster
from bot.ports.policies import Policies
from bot.ports.samples import History, Minute, Samples
from bot.ports.schedule import (
    Agenda,
    CatchUp,
    Declared,
    Done,
    Due,
    Plan,
    Schedule,
    Scheduled,
    ScheduleState,
    Target,
)
from bot.ports.store import Ask, Book, Dispatch, Entry, Row, Store, Tx
from bot.ports.world import Alarms, Clock, Entropy, Incidents

__all__ = [
    "Agenda",
    "Alarms",
    "Ask",
    "Backlog",
    "Book",
    "CatchUp",
    "Clock",
    "Declared",
    "Dispatch",
    "Done",
    "Draw",
    "Due",
    "Entropy",
    "Entry",
    "History",
    "HostReading",
    "Hypervisor",
    "Incidents",
    "LinkStatus",
    "Links",
    "Loudspeaker",
    "Meter",
    "Minute",
    "Outgoing",
    "Plan",
    "Policies",
    "Registrar",
    "Report",
    "Road",
    "Roster",
    "Row",
    "Samples",
    "Schedule",
    "ScheduleState",
    "Scheduled",
    "Slot",
    "Store",
    "Target",
    "TrafficReading",
    "Transport",
    "Tx",
]
