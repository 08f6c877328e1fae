"""Instants as the tables hold them: UTC ISO-8601 texts that sort as the instants do."""

from datetime import UTC, datetime

from bot.errors import StoreFault


def text(at: datetime) -> str:
    """Write an aware instant.

    >>> text(datetime(2026, 11, 22, 15, 2, tzinfo=UTC))
    '2026-11-22T15:02:00.000000Z'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def instant(written: str) -> datetime:
    """Read an instant; StoreFault for anything that `text` does not write."""
    try:
        at = datetime.fromisoformat(written)
        same = text(at) == written  # fromisoformat reads many forms, and `text` writes one
    except (TypeError, ValueError, OverflowError) as error:
        raise StoreFault(f"{written!r} is no instant: something else wrote to the database") from error
    if not same:
        raise StoreFault(f"{written!r} is no instant: something else wrote to the database")
    return at


def storable(words: str) -> str:
    """Return the words without lone surrogates, which UTF-8 and so SQLite cannot hold."""
    return words if words.isascii() else words.encode("utf-8", "replace").decode()
