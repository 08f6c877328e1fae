"""What pure modules of plugins may import: values and the co-op's own words; nothing touches the world."""

from bot.coop import counting
from bot.coop.chain import GENESIS, Link, Verdict, digest, verify
from bot.coop.charts import Chart, Curve
from bot.coop.charts import Limit as ChartLimit
from bot.coop.events import DayBegan, Event, IdentityBound, MachineChanged, MotionPassed
from bot.coop.figures import MEASURES, Figure, Measure
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
from bot.coop.policy import Change, PolicyBook, VotingStanding, read_changes
from bot.coop.questions import (
    DigestPart,
    Figures,
    Inquiry,
    Maintenance,
    MaintenanceNow,
    PostField,
    StatusPart,
)
from bot.coop.samples import HostSample, MachineSample, Tick
from bot.coop.shares import Share
from bot.coop.spans import counted, size, span
from bot.coop.traffic import Traffic
from bot.coop.views import View, sparkline, view
from bot.coop.voterules import VoteRules
from bot.coop.when import When, is_within, zone_named
from bot.coop.when import parse as read_when
from bot.errors import Conflict, Expired, NotAllowed, NotFound, Refusal, Usage
from bot.model import (
    Actor,
    Call,
    Identity,
    IdentityKind,
    Message,
    Notice,
    Outcome,
    Place,
    Relayed,
    Remark,
    Reply,
    Urgency,
)

__all__ = [
    "GENESIS",
    "MEASURES",
    "Actor",
    "Call",
    "Change",
    "Chart",
    "ChartLimit",
    "Conflict",
    "Curve",
    "DayBegan",
    "DigestPart",
    "Event",
    "Expired",
    "Figure",
    "Figures",
    "HostSample",
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
    "MachineSample",
    "MachineState",
    "MachineUsage",
    "Maintenance",
    "MaintenanceNow",
    "Measure",
    "Member",
    "Message",
    "MotionPassed",
    "NotAllowed",
    "NotFound",
    "Notice",
    "Outcome",
    "Place",
    "PolicyBook",
    "PostField",
    "Refusal",
    "Relayed",
    "Remark",
    "Reply",
    "Role",
    "RunResult",
    "Share",
    "Standing",
    "StatusPart",
    "StopResult",
    "Tick",
    "Traffic",
    "Urgency",
    "Usage",
    "Verdict",
    "View",
    "VoteRules",
    "VotingStanding",
    "When",
    "counted",
    "counting",
    "digest",
    "is_within",
    "read_changes",
    "read_when",
    "size",
    "span",
    "sparkline",
    "verify",
    "view",
    "zone_named",
]
