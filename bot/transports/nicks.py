"""Which nick to take, and when to try for our own again. Pure."""

from dataclasses import dataclass

TRIES = 20
"""Nicks that are tried while registering before the connection is given up."""

CALM, LONGEST = 60.0, 900.0
"""Seconds that we leave our own nick alone after it was taken from us, doubling up to the longest."""


@dataclass(slots=True)
class NickKeeper:
    """`own` is the nick from the config, `current` what the server calls us; `longest` is NICKLEN."""

    own: str
    current: str = ""
    longest: int = 30
    _tried: int = 0
    _wait: float = CALM
    _until: float = 0.0

    def __post_init__(self) -> None:
        self.current = self.own

    def alternative(self) -> str | None:
        """Return the next nick to try while registering: Eddie_, Eddie__, Eddie2; None after TRIES."""
        self._tried += 1
        if self._tried > TRIES:
            return None
        suffix = "_" * self._tried if self._tried < 3 else str(self._tried - 1)  # noqa: PLR2004 - two underscores, then 2
        self.current = self.own[: max(self.longest - len(suffix), 1)] + suffix
        return self.current

    def may_try(self, now: float) -> bool:
        """Tell whether to ask for our own nick, once it is free: not while somebody fights us over it."""
        return now >= self._until

    def renamed(self, new: str, now: float) -> None:
        """Note that the server calls us by another nick now, whoever wanted that."""
        if self.current == self.own != new:
            self._until = now + self._wait
            self._wait = min(2 * self._wait, LONGEST)
        self.current = new
