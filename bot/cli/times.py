"""shipboard when EXPRESSION: the next dates of a time expression. Needs no config."""

from argparse import Namespace
from datetime import UTC, datetime

from bot.cli.basics import say
from bot.coop.when import parse, zone_named
from bot.errors import ConfigError

_MOST = 10_000


def when(args: Namespace) -> int:
    """Print the dates strictly after --from, one UTC ISO instant a line."""
    if not 1 <= args.count <= _MOST:
        raise ConfigError(f"--count {args.count}: write a number from 1 to {_MOST}")
    zone_named(args.zone)
    start = datetime.now(UTC) if args.start is None else _instant(args.start)
    for instant in parse(args.expression, zone=args.zone, now=start).upcoming(start, args.count):
        say(f"{instant:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0"))
    return 0


def _instant(text: str) -> datetime:
    """Read an ISO 8601 instant; without an offset it is UTC."""
    try:
        given = datetime.fromisoformat(text)
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigError(f"--from {text[:60]}: write an instant like 2026-11-22T18:00:00Z") from None
