"""What plugins ask each other; that nobody answers is normal.

A question is a frozen dataclass that names the type of one answer: `class OpenVotes(Inquiry[VoteList])`.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

A_co = TypeVar("A_co", covariant=True)


class Inquiry(Generic[A_co]):
    """A question to whichever plugins can answer it; the parameter is the type of one answer."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StatusPart(Inquiry[str]):
    """Ask every plugin for its few words in the one line of `!status`; an empty answer is left out."""
