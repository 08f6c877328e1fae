"""What the server says of itself in 005, https://modern.ircdocs.horse/#rplisupport-parameters. Pure.

Bad tokens are ignored.
"""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_UPPER = string.ascii_uppercase
_FOLDS = {
    "ascii": str.maketrans(_UPPER, _UPPER.lower()),
    "rfc1459": str.maketrans(_UPPER + "[]\\~", _UPPER.lower() + "{}|^"),
    "rfc1459-strict": str.maketrans(_UPPER + "[]\\", _UPPER.lower() + "{}|"),
}
_PREFIX = re.compile(r"\(([A-Za-z]*)\)([^A-Za-z0-9\s]*)")
_LONGEST = 512


@lru_cache(maxsize=1024)
def _folded(name: str, casemapping: str) -> str:
    return name.translate(_FOLDS[casemapping])


@dataclass(slots=True)
class Isupport:
    """The few tokens that we need, with the defaults of RFC 1459 for a server that is silent about them."""

    casemapping: str = "rfc1459"
    prefixes: str = "@+"
    chantypes: str = "#&"
    statusmsg: str = ""
    nicklen: int = 9
    whox: bool = False
    monitor: bool = False

    def feed(self, tokens: Iterable[str]) -> None:
        """Take the tokens of one 005 line, without the nick before and the sentence after them."""
        for token in tokens:
            name, _, value = token.partition("=")
            if name.startswith("-"):
                self._forget(name[1:].upper())
            else:
                self._take(name.upper(), value)

    def fold(self, name: str) -> str:
        """Return a nick or a room in the form in which this server compares them."""
        return (
            _folded(name, self.casemapping)
            if len(name) < _LONGEST
            else name.translate(_FOLDS[self.casemapping])
        )

    def same(self, one: str, other: str) -> bool:
        """Tell whether the server takes two names for the same."""
        return self.fold(one) == self.fold(other)

    def is_channel(self, target: str) -> bool:
        """Tell whether that is a room's name, not a nick."""
        return target[:1] in self.chantypes and bool(target)

    def _take(self, name: str, value: str) -> None:
        match name:
            case "CASEMAPPING" if value in _FOLDS:
                self.casemapping = value
            case "PREFIX" if (found := _PREFIX.fullmatch(value)) and len(found[1]) == len(found[2]):
                self.prefixes = found[2]
            case "CHANTYPES" if value and value.isascii() and not any(map(str.isalnum, value)):
                self.chantypes = value
            case "STATUSMSG" if value.isascii() and not any(map(str.isalnum, value)):
                self.statusmsg = value
            case "NICKLEN" if value.isascii() and value.isdigit() and len(value) < len(str(_LONGEST)) + 1:
                self.nicklen = int(value) or self.nicklen
            case "WHOX" | "MONITOR":
                setattr(self, name.lower(), True)
            case _:
                pass

    def _forget(self, name: str) -> None:
        plain = Isupport()
        attribute = {"PREFIX": "prefixes"}.get(name, name.lower())
        if hasattr(plain, attribute) and attribute in Isupport.__slots__:
            setattr(self, attribute, getattr(plain, attribute))
