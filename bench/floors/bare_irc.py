"""The floor of the library: a bot on the `irc` package's own asyncio client, as its examples show it."""

import sys
from typing import Any

from irc.client_aio import AioSimpleIRCClient


class Bot(AioSimpleIRCClient):  # type: ignore[misc]  # the package ships no types
    """Answers !ping in one channel."""

    def __init__(self, channel: str) -> None:
        super().__init__()
        self.channel = channel

    def on_welcome(self, connection: Any, _: Any) -> None:  # noqa: ANN401 - the package ships no types
        """Join."""
        connection.join(self.channel)

    def on_pubmsg(self, connection: Any, event: Any) -> None:  # noqa: ANN401 - the package ships no types
        """Answer."""
        text = event.arguments[0]
        if text.startswith("!ping "):
            connection.privmsg(event.target, f"pong {text[6:]}")

    def on_disconnect(self, _: Any, __: Any) -> None:  # noqa: ANN401 - the package ships no types
        """End."""
        self.reactor.loop.stop()


if __name__ == "__main__":
    bot = Bot(sys.argv[2])
    bot.connect("127.0.0.1", int(sys.argv[3]), sys.argv[1])
    bot.start()
