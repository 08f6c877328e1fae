"""Logging in by NickServ where no SASL is offered: over verified TLS, and to the services' own nick only."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.transports.irc.channels import fold_account
from bot.transports.irc.proofs import Proof, Whois
from bot.transports.irc.world import World

FIRST, LONGEST = 5.0, 3600.0
"""Seconds until the first try, and between two tries at most; the pauses double."""

PATIENCE = 5.0
"""Seconds that the services have for telling the server that we are logged in."""

SERVICE = "NickServ"


@dataclass(frozen=True, slots=True)
class Words:
    """What NickServ is told."""

    account: str
    password: str


@dataclass(slots=True)
class NickServ:
    """Tries again and again while there is no other way in; `problem` says why it has not worked, if so.

    What NickServ answers is not believed: only the server's 900, ACCOUNT, or 330 about ourselves is.
    """

    world: World
    whois: Whois
    send: Callable[[str], None]
    words: Words
    problem: str = ""

    async def run(self) -> None:
        """Log in whenever it is needed, for ever."""
        pause = FIRST
        while True:
            await self.world.clock.sleep(pause)
            if self._is_needed:
                self.problem = await self._identify()
                pause = min(2 * pause, LONGEST)

    @property
    def _is_needed(self) -> bool:
        world = self.world
        return world.registered and not world.account and "sasl" not in world.caps.offered

    async def _identify(self) -> str:
        services = await self.whois.ask(SERVICE)
        if services is None:
            return f"{SERVICE} is not there"
        if not self._is_genuine(services):
            return f"{SERVICE} is not the services' own"
        # the server's name makes sure that nobody gets this who takes the nick at this moment
        self.send(f"PRIVMSG {SERVICE}@{services.server} :IDENTIFY {self.words.account} {self.words.password}")
        await self.world.clock.sleep(PATIENCE)
        if not self.world.account:
            ourselves = await self.whois.ask(self.world.nicks.current)
            if ourselves is None or ourselves.account != fold_account(self.words.account):
                return f"{SERVICE} did not confirm it"
            self.world.logged_in(self.words.account)
        return ""

    def _is_genuine(self, services: Proof) -> bool:
        # services are a server of their own, whose name their clients have as host
        host = services.userhost.rpartition("@")[2]
        return "." in host and host == services.server and services.server != self.world.server
