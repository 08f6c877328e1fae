"""The floor of the library: a bot on `slixmpp` itself, as its examples show it."""

import asyncio
import ssl
import sys
from typing import Any

from slixmpp import JID, ClientXMPP


class Bot(ClientXMPP):
    """Answers !ping in one room."""

    def __init__(self, jid: str, password: str, room: str, nick: str, ca: str) -> None:
        super().__init__(jid, password, ssl_context=ssl.create_default_context(cafile=ca))
        self.room, self.nick = JID(room), nick
        self.use_aiodns = False
        self.enable_direct_tls = False
        for plugin in ("xep_0030", "xep_0045", "xep_0199"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("groupchat_message", self.hear)

    async def start(self, _: object) -> None:
        """Join."""
        self.send_presence()
        await self.plugin["xep_0045"].join_muc_wait(self.room, self.nick, maxstanzas=0)

    def hear(self, message: Any) -> None:  # noqa: ANN401 - the package's own type
        """Answer."""
        text = message["body"]
        if text.startswith("!ping ") and message["mucnick"] != self.nick:
            self.send_message(mto=self.room, mbody=f"pong {text[6:]}", mtype="groupchat")


async def main(words: list[str]) -> None:
    """Run until the connection is lost."""
    bot = Bot(*words[:5])
    bot.connect("127.0.0.1", int(words[5]))
    await bot.disconnected


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
