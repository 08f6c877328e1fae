"""What plugins ask each other; that nobody answers is normal.

A question is a frozen dataclass that names the type of one answer: `class OpenVotes(Inquiry[VoteList])`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.coop.figures import Figure

A_co = TypeVar("A_co", covariant=True)


class Inquiry(Generic[A_co]):
    """A question to whichever plugins can answer it; the parameter is the type of one answer."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StatusPart(Inquiry[str]):
    """Ask every plugin for its few words in the one line of `!status`; an empty answer is left out."""


@dataclass(frozen=True, slots=True)
class DigestPart(Inquiry[str]):
    """Ask every plugin for its line of the digest, like "machines: 3 of 4 up"; None if there is none."""


@dataclass(frozen=True, slots=True)
class PostField(Inquiry[str]):
    """Ask for what stands for `{name}` in a post; None from a plugin that knows no such name."""

    name: str


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Announced work on a host, from `start` until before `end`; `text` is in the words of `by`, a member."""

    host: str
    start: datetime
    end: datetime
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class MaintenanceNow(Inquiry[Maintenance]):
    """Ask whether there is maintenance of a host at this moment; None where there is not."""

    host: str


@dataclass(frozen=True, slots=True)
class Figures(Inquiry[tuple[Figure, ...]]):
    """Ask what plugins work out of what was measured until `at`; alerts ask once a minute."""

    at: datetime
