"""Strict transport security, https://ircv3.net/specs/extensions/sts: TLS once is TLS always. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.config import IrcNetwork
from bot.errors import TransportFault

LONGEST = 10 * 365 * 86400
"""Seconds that a policy may last; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class Policy:
    """TLS on that port, and nothing else, until an instant."""

    port: int
    until: datetime


class StsPolicies(Protocol):
    """Remembers policies by host, lower-case; better across restarts."""

    def get(self, host: str) -> Policy | None:
        """Return the host's policy, whether or not it has expired."""
        ...

    def put(self, host: str, policy: Policy | None) -> None:
        """Remember a policy; None forgets it."""
        ...


@dataclass(slots=True)
class MemoryPolicies:
    """Policies for as long as the process lives."""

    known: dict[str, Policy] = field(default_factory=dict)

    def get(self, host: str) -> Policy | None:
        """Return the host's policy."""
        return self.known.get(host)

    def put(self, host: str, policy: Policy | None) -> None:
        """Remember a policy, or forget it."""
        self.known.pop(host, None)
        if policy is not None:
            self.known[host] = policy


def number(value: str, key: str) -> int | None:
    """Return a number of the capability's value, `duration=31536000,port=6697`; None where it has none."""
    for item in value.split(","):
        name, _, digits = item.partition("=")
        if name == key and digits.isascii() and digits.isdigit() and len(digits) < 16:  # noqa: PLR2004 - more is nonsense
            return int(digits)
    return None


class Upgrade(TransportFault):
    """The server has to be reached by TLS on another port, before anything else is said."""

    def __init__(self, port: int) -> None:
        super().__init__(f"the server demands TLS on port {port}")
        self.port = port


def upgrade(value: str) -> int | None:
    """Return the port that an insecure connection has to be left for; None if the value names none."""
    port = number(value, "port")
    return port if port and port < 1 << 16 else None


def renew(policies: StsPolicies, settings: IrcNetwork, value: str, now: datetime) -> None:
    """Take what a secure connection tells: a duration from now on, none any more with 0; its port is ours."""
    duration = number(value, "duration")
    if duration is not None:
        until = now + timedelta(seconds=min(duration, LONGEST))
        policies.put(settings.host.lower(), Policy(settings.port, until) if duration else None)


def enforced(settings: IrcNetwork, policies: StsPolicies, now: datetime) -> IrcNetwork:
    """Return the settings to connect with: those of the config, or TLS where a policy demands it."""
    policy = policies.get(settings.host.lower())
    if settings.tls or policy is None or policy.until <= now:
        return settings
    return secured(settings, policy.port)


def secured(settings: IrcNetwork, port: int) -> IrcNetwork:
    """Return the settings with TLS on that port."""
    return settings.model_copy(update={"tls": True, "port": port})
