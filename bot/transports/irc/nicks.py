"""Which nick to take, and when to try for our own again. Pure."""

from dataclasses import dataclass

TRIES = 20
"""Nicks that are tried while registering before the connection is given up."""

CALM, LONGEST = 60.0, 900.0
"""Seconds between two tries for our own nick, and the most after it was taken from us again and again."""


@dataclass(slots=True)
class NickKeeper:
    """`own` is the nick from the config, `current` what the server calls us; `longest` is NICKLEN."""

    own: str
    current: str = ""
    longest: int = 30
    _tried: int = 0
    _wait: float = CALM
    _not_before: float = 0.0

    def __post_init__(self) -> None:
        self.current = self.own

    def alternative(self) -> str | None:
        """Return the next nick to try while registering: Eddie_, Eddie__, Eddie2, Eddie3 …; None after TRIES."""
        self._tried += 1
        if self._tried > TRIES:
            return None
        suffix = "_" * self._tried if self._tried <= 2 else str(self._tried - 1)  # noqa: PLR2004 - two underscores, then numbers
        self.current = self.own[: self.longest - len(suffix)] + suffix
        return self.current

    def due(self, now: float, *, has_own: bool) -> bool:
        """Tell whether our own nick, which somebody just left or which may be free, is to be tried for now."""
        if has_own or now < self._not_before:
            return False
        self._not_before = now + self._wait
        return True

    def renamed(self, new: str, now: float, *, is_own: bool) -> None:
        """The server calls us by another nick now, whoever wanted that."""
        self.current = new
        if is_own:
            self._wait = min(2 * self._wait, LONGEST)  # asked for again sooner, two bots would fight over it
        else:
            self._not_before = now + self._wait
