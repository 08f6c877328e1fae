"""The floor of Python: an asyncio protocol that answers !ping and can do nothing else."""

import asyncio
import sys


class Bot(asyncio.Protocol):
    """Takes lines apart no further than !ping needs."""

    def __init__(self, nick: str, channel: str) -> None:
        self.nick, self.channel = nick.encode(), channel.encode()
        self.rest = b""
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection is one
        self.transport = transport
        transport.write(b"NICK %b\r\nUSER %b 0 * :bench\r\n" % (self.nick, self.nick))

    def data_received(self, data: bytes) -> None:
        """Answer what is answered."""
        *lines, self.rest = (self.rest + data).split(b"\r\n")
        for line in lines:
            source, verb, rest = (*line.split(b" ", 2), b"", b"")[:3]
            if source == b"PING":
                self.transport.write(b"PONG " + verb + b"\r\n")
            elif verb == b"001":
                self.transport.write(b"JOIN " + self.channel + b"\r\n")
            elif verb == b"PRIVMSG":
                self._hear(*rest.split(b" :", 1))

    def _hear(self, target: bytes, text: bytes) -> None:
        if text.startswith(b"!ping "):
            self.transport.write(b"PRIVMSG %b :pong %b\r\n" % (target, text[6:]))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.lost.set_result(exc)


async def main(nick: str, channel: str, port: int) -> None:
    """Run until the connection is lost."""
    _, bot = await asyncio.get_running_loop().create_connection(lambda: Bot(nick, channel), "127.0.0.1", port)
    await bot.lost


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
