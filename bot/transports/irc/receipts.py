"""Whether what was said has arrived: our own echo, else the PONG to a PING that was sent after it.

Everything that we send to a target is remembered until its echo, an error for that target, or the PONG to a
later PING: the server answers in order.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

ERRORS = frozenset(
    {"401", "403", "404", "405", "407", "411", "412", "413", "414", "417", "442", "477", "486", "531", "716"}
)
"""Numerics that say that a line did not go through; the second parameter names its target."""

MOST = 1000
"""Lines and PINGs that are remembered."""


@dataclass(slots=True, eq=False)
class Receipt:
    """What becomes of some lines to one target."""

    arrived: asyncio.Future[bool]
    open: int = 0
    complete: bool = False

    def settle(self, outcome: bool) -> None:  # noqa: FBT001 - it is the result itself
        """Say whether they arrived, once."""
        if not self.arrived.done():
            self.arrived.set_result(outcome)


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    seq: int
    target: str
    text: str
    receipt: Receipt | None


@dataclass(slots=True)
class Receipts:
    """All that is on its way; `fold` compares targets as the server does."""

    fold: Callable[[str], str]
    _sent: deque[_Sent] = field(default_factory=lambda: deque(maxlen=MOST))
    _pings: deque[tuple[int, str, Receipt | None]] = field(default_factory=lambda: deque(maxlen=MOST))
    _count: int = 0

    def open(self) -> Receipt:
        """Begin a receipt."""
        return Receipt(asyncio.get_running_loop().create_future())

    def sent(self, target: str, text: str, receipt: Receipt | None) -> None:
        """Note a line that was sent."""
        if receipt:
            receipt.open += 1
        self._count += 1
        self._sent.append(_Sent(self._count, self.fold(target), text, receipt))

    def ping(self, receipt: Receipt | None = None) -> str:
        """Return the token of a PING to send now; its PONG settles the receipt."""
        if receipt:
            receipt.complete = True
        self._count += 1
        token = f"shipboard-{self._count}"
        self._pings.append((self._count, token, receipt))
        return token

    def echoed(self, target: str, text: str) -> None:
        """Take our own line as the server shows it to us; a server may have changed its text."""
        target = self.fold(target)
        lines = (sent for sent in self._sent if sent.target == target)
        first = next(lines, None)
        if first is None:
            return
        sent = first if first.text == text else next((sent for sent in lines if sent.text == text), first)
        self._sent.remove(sent)
        if sent.receipt:
            sent.receipt.open -= 1
            if sent.receipt.complete and not sent.receipt.open:
                sent.receipt.settle(outcome=True)

    def failed(self, target: str) -> None:
        """Take an error about a target: nothing that is on its way there has surely arrived."""
        for sent in tuple(self._sent):
            if sent.target == self.fold(target):
                self._sent.remove(sent)
                if sent.receipt:
                    sent.receipt.settle(outcome=False)

    def ponged(self, token: str, *, echoes: bool) -> None:
        """Take a PONG; `echoes` tells whether every line that arrived must have been echoed by now.

        Some servers do not repeat the token: then it answers the oldest PING.
        """
        tokens = [known for _, known, _ in self._pings]
        if token.startswith("shipboard-") and token not in tokens:
            return
        seq = 0
        for _ in range(tokens.index(token) + 1 if token in tokens else min(1, len(tokens))):
            seq, _, receipt = self._pings.popleft()
            if receipt:
                receipt.settle(outcome=not (echoes and receipt.open))
        while self._sent and self._sent[0].seq < seq:
            lost = self._sent.popleft()
            if echoes and lost.receipt:
                lost.receipt.settle(outcome=False)

    def close(self) -> None:
        """Give up all: the connection is lost."""
        for receipt in [sent.receipt for sent in self._sent] + [receipt for _, _, receipt in self._pings]:
            if receipt:
                receipt.settle(outcome=False)
        self._sent.clear()
        self._pings.clear()
