"""Our word to the server on how many of its stanzas we have (XEP-0198): once for many of its questions.

A server may ask after every stanza. Each answer on its own would go out ahead of what we say to the stanza,
and have both ends work twice as much.
"""

from collections.abc import Callable
from typing import Protocol

ASK = "{urn:xmpp:sm:3}r"
TOGETHER = 0.1
"""Seconds within which all questions of the server get one answer."""


class Timer(Protocol):
    """What asyncio's `call_later` returns."""

    def cancel(self) -> None:
        """Have it not go off."""


class Acks:
    """Answers the server's questions by `answer`, a little later by the loop's `call_later`."""

    def __init__(
        self, answer: Callable[[], None], later: Callable[[float, Callable[[], None]], Timer]
    ) -> None:
        self._answer = answer
        self._later = later
        self._timer: Timer | None = None

    def asked(self) -> None:
        """Take a question."""
        if self._timer is None:
            self._timer = self._later(TOGETHER, self.tell)

    def tell(self) -> None:
        """Tell it now, asked or not."""
        self.forget()
        self._answer()

    def forget(self) -> None:
        """Answer nothing that was asked so far: the stream is lost."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
