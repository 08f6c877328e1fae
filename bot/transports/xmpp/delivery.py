"""Messages on their way out: clean, bundled, in their turn, to a nick only while it is surely that one."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from bot.ports import Clock
from bot.transports.lines import clean, split
from bot.transports.pace import Turns
from bot.transports.race import within
from bot.transports.xmpp.asked import Asked
from bot.transports.xmpp.receipts import Receipts
from bot.transports.xmpp.stanzas import message
from bot.transports.xmpp.upload import Upload
from bot.transports.xmpp.wire import Wire

LINE = 1500
"""Bytes of one line at most."""

LARGEST = 7500
"""Bytes of the lines in one message: every server takes stanzas of 10,000 (RFC 6120, section 13.12)."""

PATIENT = 30.0
"""Seconds that an answer waits for a stream that was lost and may go on."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go: a room, an address, or a nick in a room while `still` says that it is the same."""

    to: str
    kind: str = "chat"
    occupant: bool = False
    still: Callable[[], bool] = lambda: True


@dataclass(slots=True)
class Delivery:
    """Sends to rooms and to people over one session."""

    wire: Wire
    clock: Clock
    turns: Turns
    receipts: Receipts
    asked: Asked
    prefix: str
    upload: Upload
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def new_id(self) -> str:
        """Return an id that no message of ours ever had."""
        return f"{self.prefix}-{next(self._numbers)}"

    async def deliver(
        self, target: Target, pieces: Sequence[str], lane: str, *, ident: str = "", corrects: str = ""
    ) -> bool:
        """Send pieces in their turns; False if not all were sent.

        `ident` is the first message's id, `corrects` that of the one that it replaces.
        """
        async with self.turns.lock(lane):
            for body in bundled(pieces):
                if not await self._turn(target, lane):
                    return False
                if not self.wire.send(self._message(target, body, ident or self.new_id(), corrects)):
                    return False
                ident = corrects = ""
        return True

    async def confirm(self, target: Target, pieces: Sequence[str]) -> bool:
        """Send pieces, each message after the other has surely arrived; False if one did not."""
        lane = f"say {target.to}"
        async with self.turns.lock(lane):
            for body in bundled(pieces):
                if not await self._turn(target, lane) or not await self._confirmed(target, body):
                    return False
        return True

    async def show(self, target: Target, picture: bytes, lane: str) -> bool:
        """Store a PNG and send its address, which clients show as the picture; NoUpload says why not."""
        link = await self.upload.put("picture.png", picture, "image/png")
        async with self.turns.lock(lane):
            if not await self._turn(target, lane):
                return False
            made = message(
                target.to, link, kind=target.kind, ident=self.new_id(), occupant=target.occupant, link=link
            )
            return self.wire.send(made)

    async def _turn(self, target: Target, lane: str) -> bool:
        if clean(target.to) != target.to or not await self.turns.turn(lane):
            return False
        if not self.wire.flows:
            try:
                await within(self.clock, PATIENT, self.wire.ready())
            except TimeoutError:
                return False
        return target.still()

    async def _confirmed(self, target: Target, body: str) -> bool:
        ident, room = self.new_id(), target.kind == "groupchat"
        arrived = self.receipts.open(ident, target.to, room=room, occupant=target.occupant)
        made = self._message(target, body, ident)
        counts = self.wire.acknowledges
        if not self.wire.send(made, confirmed=counts and not room):
            self.receipts.close_one(ident)
            return False
        if not counts and not room:
            self.asked.ping(self.wire.domain, lambda error: self._answered(ident, error))
        return await self.receipts.wait(ident, arrived)

    def _answered(self, ident: str, error: str | None) -> None:
        """Take the answer to a ping sent after a message, where the server counts no stanzas."""
        if error is not None:
            self.receipts.acknowledged(ident)

    def _message(self, target: Target, body: str, ident: str, corrects: str = "") -> Element:
        return message(
            target.to, body, kind=target.kind, ident=ident, corrects=corrects, occupant=target.occupant
        )


def pieces(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines cleaned, each short enough; what is empty goes."""
    return tuple(
        piece
        for line in lines
        for part in line.splitlines()
        for piece in split(clean(part), LINE)
        if piece.strip()
    )


def bundled(lines: Sequence[str]) -> tuple[str, ...]:
    """Put lines together into as few messages as they fit."""
    bodies: list[list[str]] = []
    size = LARGEST
    for line in lines:
        size += len(line.encode(errors="replace")) + 1
        if size > LARGEST:
            bodies.append([])
            size = len(line.encode(errors="replace"))
        bodies[-1].append(line)
    return tuple("\n".join(body) for body in bodies)
