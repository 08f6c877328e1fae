"""Names that look alike to people. Pure.

Not the whole of Unicode's confusables (https://www.unicode.org/reports/tr39/): the letters of other scripts,
the digits and the signs that are taken for Latin letters in a nick.
"""

import unicodedata
from types import MappingProxyType

_ALIKE = {
    "a": "\u0430\u03b1\u0251@4",
    "c": "\u0441\u03f2",
    "d": "\u0501",
    "e": "\u0435\u03b53",
    "g": "\u0261",
    "h": "\u04bb",
    "j": "\u0458",
    "k": "\u043a\u03ba",
    "l": "i1|!\u0456\u0131\u03b9\u04cf\u0269",
    "m": "\u043c",
    "n": "\u03b7\u0578",
    "o": "0\u043e\u03bf\u0585\u03c3",
    "p": "\u0440\u03c1",
    "q": "\u051b",
    "s": "5$\u0455",
    "t": "\u0442\u03c4",
    "u": "\u03c5\u057d",
    "v": "\u03bd\u0475",
    "w": "\u051d\u03c9\u0461",
    "x": "\u0445\u03c7",
    "y": "\u0443\u03b3",
}
_TO_LATIN = MappingProxyType({ord(sign): latin for latin, signs in _ALIKE.items() for sign in signs})
_AT_THE_END = "_-`^|"
"""What people, and their programs, put behind a nick that is taken."""


def looks(name: str) -> str:
    r"""Return what a name looks like: two names that people confuse give the same.

    >>> looks("\u0430lice_") == looks("Al1ce") == looks("alice")
    True
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    shown = "".join(sign for sign in plain if not unicodedata.combining(sign) and sign.isprintable())
    return shown.rstrip(_AT_THE_END).translate(_TO_LATIN).replace("rn", "m").replace("vv", "w")
