"""Virtual machines as the co-op sees them: whose, where, how large, in which state."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath

from bot.coop.shares import Share

NAME = re.compile(r"[a-z][a-z0-9-]{0,15}")
"""What a machine may be called; with `t` before it, what has up to 14 letters can be a network device too."""


class MachineState(StrEnum):
    """What a machine does now, as read from its host each time, never from a table.

    UNRESPONSIVE: its process lives but its management console has been silent for 2 s.
    CRASHED: it ended without being asked to, and has not been started since.
    """

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    UNRESPONSIVE = "unresponsive"
    CRASHED = "crashed"

    @property
    def is_up(self) -> bool:
        """Whether there is a process of this machine on its host."""
        return self not in {MachineState.STOPPED, MachineState.CRASHED}


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine of one member, or of the co-op (`owner` None).

    `memory_mib` is what the machine gets; a machine without kernel, initrd and disk boots the demo image.
    """

    name: str
    host: str
    owner: str | None = None
    share: Share = Share.FULL
    memory_mib: int = 64
    kernel: PurePath | None = None
    initrd: PurePath | None = None
    disk: PurePath | None = None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Limits:
    """What is truly in force for a running machine, as its hypervisor applied it.

    `sandbox` is `uid`, `bwrap`, `NONE` or `fake`; `notes` name what could not be applied and why.
    """

    memory_mib: int
    sandbox: str
    nice: int = 0
    cpu_weight: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MachineInfo:
    """A machine as found on its host just now; `since` is when its process began, None when it is down."""

    name: str
    state: MachineState
    pid: int | None = None
    since: datetime | None = None
    limits: Limits | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a running machine uses: CPU seconds since its start (monotonic), bytes of memory and disk.

    `received` and `sent` are bytes as the guest sees them, None where there is no network device to count.
    """

    cpu_seconds: float
    memory_bytes: int
    disk_bytes: int
    received: int | None = None
    sent: int | None = None


@dataclass(frozen=True, slots=True)
class StopResult:
    """How a machine was stopped.

    `rung` is the step of the ladder that worked: `cad`, `poweroff`, `halt` or `kill`; `tried` all that were.
    """

    rung: str
    seconds: float
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """The end of a command in a guest: its exit status and its output, raw and hostile."""

    status: int
    output: bytes
    truncated: bool = False


class MachineEventKind(StrEnum):
    """What a hypervisor reports of its own accord."""

    READY = "ready"
    EXITED = "exited"
    CRASHED = "crashed"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class MachineEvent:
    """Something that happened to a machine: `asked` if the bot was told to make it happen.

    `text` comes from the guest or its kernel: untrusted, already one line of at most 200 characters.
    """

    machine: str
    host: str
    kind: MachineEventKind
    at: datetime
    asked: bool = False
    text: str = ""
    tail: tuple[str, ...] = field(default=())
