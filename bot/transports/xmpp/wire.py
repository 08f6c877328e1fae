"""What the other parts need of a stream."""

from typing import Protocol
from xml.etree.ElementTree import Element


class Wire(Protocol):
    """The stream of one session, which may be lost and go on."""

    @property
    def up(self) -> bool:
        """Whether there is a session, with its stream."""

    @property
    def flows(self) -> bool:
        """Whether the stream is there, and the server takes more."""

    @property
    def domain(self) -> str:
        """The server's own address."""

    @property
    def acknowledges(self) -> bool:
        """Whether the server tells which stanzas it has."""

    def send(self, element: Element, *, confirmed: bool = False) -> bool:
        """Send a stanza; False while the stream is lost. `confirmed`: the server is to say that it has it."""

    async def ready(self) -> None:
        """Wait until the stream is there, and the server takes more."""
