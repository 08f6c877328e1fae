"""What plugins and the ship tell each other: what has happened, dispatched after its commit, at least once.

Every field is a str, int, bool, None, datetime, enum or a tuple of these: events are stored as JSON.
A handler must be idempotent: after a crash the same event may come again, with the same `id`.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.coop.machines import MachineEventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineChanged(Event):
    """A machine became ready, ended or said something, as its hypervisor saw it.

    `asked` tells whether the bot was told to make it happen; `text` and `tail` are the guest's own words.
    """

    machine: str
    host: str
    kind: MachineEventKind
    at: datetime
    asked: bool = False
    text: str = ""
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityBound(Event):
    """A member got an identity (`bound`), or lost one."""

    member: str
    network: str
    subject: str
    bound: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBegan(Event):
    """A new UTC day, written as 2026-11-22; told once a day."""

    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionPassed(Event):
    """What a motion asked for is in force, or waits for an admin to do it; `subject` is whom it concerns."""

    motion: int
    kind: str
    title: str
    subject: str = ""
