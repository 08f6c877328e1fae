"""One line from the server as a value. Missing parameters read as empty: leaving one out is no error."""

from dataclasses import dataclass

_ESCAPES = {":": ";", "s": " ", "r": "\r", "n": "\n"}


@dataclass(frozen=True, slots=True)
class Line:
    """`@tags :source COMMAND params`; the tags stay as they came, since most lines' are never looked at."""

    command: str
    params: tuple[str, ...] = ()
    source: str = ""
    tags: str = ""

    @property
    def nick(self) -> str:
        """The nick, or the server's name, that this comes from."""
        return self.source.partition("!")[0]

    @property
    def userhost(self) -> str:
        """`user@host` of who sent this, empty for a server."""
        return self.source.partition("!")[2]

    def param(self, index: int) -> str:
        """Return that parameter, empty where it is missing; -1 is the last."""
        try:
            return self.params[index]
        except IndexError:
            return ""

    def tag(self, name: str) -> str | None:
        """Return that tag's value, empty where it has none; None where the tag is missing."""
        if name not in self.tags:
            return None
        for item in reversed(self.tags.split(";")):
            key, _, value = item.partition("=")
            if key == name:
                return _unescape(value)
        return None


def _unescape(value: str) -> str:
    # https://ircv3.net/specs/extensions/message-tags: a lone backslash at the end is dropped
    if "\\" not in value:
        return value
    out, letters = [], iter(value)
    for letter in letters:
        escaped = next(letters, "") if letter == "\\" else ""
        out.append(_ESCAPES.get(escaped, escaped) if letter == "\\" else letter)
    return "".join(out)
