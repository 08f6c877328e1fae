"""Who belongs to the co-op."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.coop.shares import Share

NAME = re.compile(r"[a-z][a-z0-9_.-]{0,30}")
"""What a member may be called: lower case, short enough for every chat line."""


class Role(StrEnum):
    """What a person is to the co-op, in rising order of trust."""

    GUEST = "guest"
    MEMBER = "member"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Tell whether this role may do what `needed` may."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class Standing(StrEnum):
    """Whether a member may use their rights now; a suspended one is treated as a guest."""

    GOOD = "good"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the co-op. `zone` is an IANA name, `reach` a network, `quiet` like 22:00-07:00."""

    name: str
    role: Role
    share: Share
    standing: Standing = Standing.GOOD
    joined: datetime | None = None
    zone: str | None = None
    reach: str | None = None
    quiet: str | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def is_admin(self) -> bool:
        """Whether this member is an admin in good standing."""
        return self.role is Role.ADMIN and self.standing is Standing.GOOD
