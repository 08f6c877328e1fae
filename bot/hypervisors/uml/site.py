"""What all machines of one host share."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bot.config import SandboxKind
from bot.hypervisors.events import EventQueue
from bot.hypervisors.uml.sandbox import Means
from bot.ports import Clock


@dataclass(frozen=True)
class Site:
    """A host: `folder` holds records, logs and disks, `run` the sockets, `cache` kernels and images.

    `tag` stands on each guest's command line, and names this bot's guests on the host.
    """

    host: str
    folder: Path
    run: Path
    cache: Path
    sandbox: SandboxKind
    clock: Clock
    kernel: Path | None
    events: EventQueue = field(repr=False)

    @property
    def tag(self) -> str:
        """What tells this host's guests from those of another bot."""
        return self.run.name

    @cached_property
    def means(self) -> Means:
        """What this host lets the bot do; tried once."""
        return Means.probe()
