"""A file of ballots, read with mistrust: each fault is one line that names the file and the place in it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from bot.coop.counting.ballots import shown
from bot.errors import ConfigError, Usage

B = TypeVar("B")

LARGEST = 2**63 - 1
"""The highest number that is counted with, as in the database."""

MOST_BYTES = 64 * 2**20
_DIGITS, _PLACES = 19, 30


@dataclass(frozen=True, slots=True)
class _Odd:
    """What stood where a number was: NaN, an infinity, or one that is too large to count with."""

    text: str


@dataclass(frozen=True, slots=True)
class _Twice:
    """An object in which a key stands twice."""

    key: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One object of the file; whatever reads a field raises ConfigError for what cannot be counted."""

    name: str
    fields: Mapping[str, object]

    def fault(self, text: str) -> ConfigError:
        """Return the error that says what is wrong in this file."""
        return ConfigError(f"{self.name}: {text}")

    @contextmanager
    def named(self, where: str = "") -> Iterator[None]:
        """Put the file's name, and where in it, before what is refused."""
        try:
            yield
        except Usage as error:
            raise self.fault(f"{where}{error}") from None

    def field(self, key: str) -> object:
        """Return a field as it stands, None if it is left out."""
        return self.fields.get(key)

    def text(self, key: str) -> str:
        """Return a field that is a text."""
        value = self.field(key)
        if not isinstance(value, str):
            raise self.fault(f"{key} is {_told(value)}, not a text")
        return value

    def texts(self, key: str) -> list[str]:
        """Return a field that is a list of texts."""
        value = self.field(key)
        if not isinstance(value, list):
            raise self.fault(f"{key} is {_told(value)}, not a list of texts")
        for place, text in enumerate(value, 1):
            if not isinstance(text, str):
                raise self.fault(f"{key}: the one at {place} is {_told(text)}, not a text")
        return value

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int = LARGEST) -> int:
        """Return a field that is a whole number within bounds; without a default it must be there."""
        value = self.field(key)
        if value is None and default is not None:
            return default
        return self._whole(key, value, least, most)

    def number(self, key: str, default: Fraction) -> Fraction:
        """Return a field that is a number from 0, exactly."""
        value = self.field(key)
        if value is None:
            return default
        if isinstance(value, Decimal) and value >= 0:
            return Fraction(value)
        return Fraction(self._whole(key, value, 0, LARGEST))

    def table(self, key: str) -> "Sheet":
        """Return a field that is an object, an empty one if it is left out or null."""
        value = self.field(key)
        if isinstance(value, _Twice):
            raise self.fault(f"{key}: {shown(value.key)} stands there twice")
        if value is not None and not isinstance(value, dict):
            raise self.fault(f"{key} is {_told(value)}, not an object")
        return Sheet(self.name, value or {})

    def ballots(self, parse: Callable[[str], B]) -> Iterator[tuple[B, int]]:
        """Yield each ballot, parsed, with how often it was cast."""
        if self.field("ballots") is None:
            raise self.fault("it has no ballots")
        cast = self.table("ballots")
        for text, count in cast.fields.items():
            where = f"ballot {shown(text)}"
            with self.named(f"{where}: "):
                ballot = parse(text)
            yield ballot, self._whole(f"{where}: its count", count, 0, LARGEST)

    def _whole(self, what: str, value: object, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fault(f"{what} is {_told(value)}, not a whole number")
        if not least <= value <= most:
            raise self.fault(f"{what} is {value}; it can be {least} to {most}")
        return value


def read(path: Path) -> Sheet:
    """Read a file; ConfigError if it is not JSON with an object at its top."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    name = str(path)
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{name}: is larger than {MOST_BYTES} bytes")
    try:
        value = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_Odd,
        )
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise ConfigError(f"{name}: not JSON: {error}") from None
    except RecursionError:
        raise ConfigError(f"{name}: not JSON that holds ballots: it is nested too deeply") from None
    if isinstance(value, _Twice):
        raise ConfigError(f"{name}: {shown(value.key)} stands there twice")
    if not isinstance(value, dict):
        raise ConfigError(f"{name}: holds {_told(value)}, not an object")
    return Sheet(name, value)


def _object(pairs: list[tuple[str, object]]) -> object:
    """Return an object, or the first key that it has twice: which of the two counts would be a guess."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            return _Twice(key)
        found[key] = value
    return found


def _integer(text: str) -> object:
    return int(text) if len(text) <= _DIGITS + 1 else _Odd(text)


def _decimal(text: str) -> object:
    if len(text) > _PLACES:
        return _Odd(text)
    try:
        value = Decimal(text)
    except InvalidOperation:
        return _Odd(text)
    return value if abs(value.adjusted()) < _PLACES else _Odd(text)


def _told(value: object) -> str:
    """Return a value as a fault shows it, cut if long."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict | _Twice):
        return "a list" if isinstance(value, list) else "an object"
    return shown(value.text if isinstance(value, _Odd) else str(value))
