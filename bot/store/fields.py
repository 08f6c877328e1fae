"""The fields of a member that people set by text, and how each is read. Pure."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from zoneinfo import available_timezones

from bot.coop.people import Role, Standing
from bot.coop.quotes import quoted
from bot.coop.shares import Share
from bot.errors import Usage

_QUIET = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
_NETWORK = re.compile(r"[a-z][a-z0-9_-]{0,30}")


def read(field: str, value: str) -> str | None:
    """Return what the field is to hold; Usage for an unknown field or a value that does not fit.

    A zone, a preferred network and quiet hours are taken away by `-` or `off`.
    """
    if field not in _READERS:
        raise Usage(f"there is no {quoted(field)} to set; there is {', '.join(_READERS)}")
    if field in _WISHES and value.lower() in {"-", "off"}:
        return None
    return _READERS[field](value)


def role(value: str) -> Role:
    """Read a role that a member may have."""
    return Role(_one_of(Role.MEMBER, Role.ADMIN)(value))


def share(value: str) -> Share:
    """Read a share."""
    return Share(_one_of(*Share)(value))


def _zone(value: str) -> str:
    for zone in available_timezones():
        if zone.lower() == value.lower():
            return zone
    raise Usage(f"{quoted(value)} is no time zone; write one like Europe/Berlin")


def _matching(pattern: re.Pattern[str], like: str) -> Callable[[str], str]:
    def reader(value: str) -> str:
        if not pattern.fullmatch(value.lower()):
            raise Usage(f"{quoted(value)} does not fit; write it like {like}")
        return value.lower()

    return reader


def _one_of(*choices: str) -> Callable[[str], str]:
    def reader(value: str) -> str:
        if value.lower() not in choices:
            raise Usage(f"{quoted(value)} is none of {', '.join(choices)}")
        return value.lower()

    return reader


_WISHES = frozenset({"zone", "reach", "quiet"})
_READERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "role": role,
        "share": share,
        "standing": _one_of(*Standing),
        "zone": _zone,
        "reach": _matching(_NETWORK, "oftc"),
        "quiet": _matching(_QUIET, "22:00-07:00"),
    }
)
