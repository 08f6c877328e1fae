"""What pure modules of plugins may import: values and the co-op's own words; nothing touches the world."""

from bot.coop.chain import GENESIS, Link, Verdict, digest, verify
from bot.coop.events import DayBegan, Event, IdentityBound, MachineChanged
from bot.coop.machines import (
    Limits,
    Machine,
    MachineEventKind,
    MachineInfo,
    MachineState,
    RunResult,
    StopResult,
)
from bot.coop.machines import Usage as MachineUsage
from bot.coop.people import Member, Role, Standing
from bot.coop.policy import Change, PolicyBook, read_changes
from bot.coop.questions import Inquiry, StatusPart
from bot.coop.shares import Share
from bot.coop.spans import counted, size, span
from bot.coop.voterules import VoteRules
from bot.model import Actor, Call, Identity, IdentityKind, Message, Notice, Outcome, Place, Reply, Urgency

__all__ = [
    "GENESIS",
    "Actor",
    "Call",
    "Change",
    "DayBegan",
    "Event",
    "Identity",
    "IdentityBound",
    "IdentityKind",
    "Inquiry",
    "Limits",
    "Link",
    "Machine",
    "MachineChanged",
    "MachineEventKind",
    "MachineInfo",
    "MachineState",
    "MachineUsage",
    "Member",
    "Message",
    "Notice",
    "Outcome",
    "Place",
    "PolicyBook",
    "Reply",
    "Role",
    "RunResult",
    "Share",
    "Standing",
    "StatusPart",
    "StopResult",
    "Urgency",
    "Verdict",
    "VoteRules",
    "counted",
    "digest",
    "read_changes",
    "size",
    "span",
    "verify",
]
