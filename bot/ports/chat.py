"""Networks, and the road that a message takes from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.model import Identity, Message, Place, Reply


class Report(Protocol):
    """How a long command tells its progress; the first call makes it a job."""

    async def __call__(self, part: float, text: str) -> None:
        """Tell that this part (0 to 1) is done, and what happens now."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One network connection as it is now; `detail` says why it is down, or what it lacks."""

    network: str
    up: bool
    nick: str = ""
    account: str | None = None
    rooms: tuple[str, ...] = ()
    detail: str = ""


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

    def status(self) -> LinkStatus:
        """Return what this connection is like now."""


class Road(Protocol):
    """The road of a message, as a transport sees it."""

    async def handle(self, message: Message, report: Report) -> Reply:
        """Take one message to its reply; never raises."""


class Links(Protocol):
    """All network connections together."""

    def status(self) -> tuple[LinkStatus, ...]:
        """Return what each connection is like now."""
