"""Networks, and the road that a message takes from them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.coop.charts import Chart
from bot.model import Group, Identity, Message, Offer, Place, Relayed, Remark, Reply

Draw = Callable[[Chart], Awaitable[bytes | None]]
"""Makes a PNG of a chart; None where that cannot be done."""


class Report(Protocol):
    """How a long command tells its progress; the first call makes it a job."""

    async def __call__(self, part: float, text: str) -> None:
        """Tell that this part (0 to 1) is done, and what happens now."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One network connection as it is now; `detail` says why it is down, or what it lacks.

    `dropped` counts the relayed lines that could not be said there since the start.
    """

    network: str
    up: bool
    nick: str = ""
    account: str | None = None
    rooms: tuple[str, ...] = ()
    detail: str = ""
    dropped: int = 0


class Transport(Protocol):
    """One network connection. It alone connects; it translates and decides nothing."""

    @property
    def network(self) -> str:
        """The name of the network in the config."""

    async def serve(self, up: Callable[[], None]) -> None:
        """Hold one connection: connect, log in, call `up`, join, until it is lost.

        Ends only by TransportFault, which says why it was lost, or by cancellation, after leaving politely.
        The supervisor alone calls this, again and again.
        """

    async def say(self, place: Place, lines: Sequence[str]) -> bool:
        """Deliver lines to a room, or to a nick; True once the network has taken them, False if it did not.

        Lines are cleaned, split and paced here. Never raises for what a peer or the network does.
        """

    async def tell(self, identity: Identity, lines: Sequence[str]) -> bool:
        """Deliver lines directly to whoever holds that identity, proven now; False if nobody does."""

    async def leave_word(self, identity: Identity, lines: Sequence[str]) -> bool:
        """Leave lines with a server that keeps them until the holder is back; False if none does."""

    def pass_on(self, relayed: Relayed) -> bool:
        """Say a relayed line if that can be done soon; False where it is dropped. It waits for nobody."""

    def show(self, text: str) -> None:
        """Show how the ship is, where a network has a status line for that; now and after each new start."""

    def status(self) -> LinkStatus:
        """Return what this connection is like now."""


class Road(Protocol):
    """The road of a message, as a transport sees it."""

    async def handle(self, message: Message, report: Report) -> Reply:
        """Take one message to its reply; never raises."""

    def listens(self, place: Place) -> bool:
        """Tell whether somebody wants what is said in that room to others."""

    def overhear(self, remark: Remark) -> None:
        """Take what was said in a room that is listened to; never raises, and drops what is too much."""

    async def offers(self, identity: Identity | None) -> tuple[Offer, ...]:
        """Return the commands that the holder of an identity may use, for forms; never raises."""


class Loudspeaker(Protocol):
    """Where relayed lines go, whichever network it is."""

    def pass_on(self, relayed: Relayed) -> bool:
        """Say a relayed line if that can be done soon; False where it is dropped. It waits for nobody."""


class Links(Protocol):
    """All network connections together."""

    def status(self) -> tuple[LinkStatus, ...]:
        """Return what each connection is like now."""

    def rooms(self, group: Group | None = None) -> tuple[Place, ...]:
        """Return the rooms that we belong in, also while we are not there; of a group, or all."""
