"""The networks: made from the config and joined first of all, while the rest of the ship is still being made.

Nothing heavy is imported here: until a network is joined, nobody can ask for anything.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from bot import config as configs
from bot import imports
from bot.charts.painter import Painter
from bot.config import Config, Network, XmppNetwork
from bot.errors import ConfigError
from bot.model import Group, Place, Relayed
from bot.ports import Clock, Draw, Incidents, LinkStatus, Road, Transport
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.gangway import Gangway
from bot.runtime.incidents import IncidentLog
from bot.runtime.keeper import keep
from bot.runtime.supervisor import Supervisor
from bot.store import lock
from bot.transports.irc.stsfile import FilePolicies

HEAD_START = 0.5
"""Seconds for which the rest waits until the rooms are joined, at most."""

_LOOK_SECONDS = 0.005


def make(config: Config, road: Road, clock: Clock, incidents: Incidents) -> tuple[Transport, ...]:
    """Make the network connections; ConfigError for one without a password that cannot do without."""
    draw = Painter(clock, incidents, config.bot.state / "cache" / "matplotlib").draw
    return tuple(_made(config, name, road, clock, incidents, draw) for name in config.networks)


def _made(config: Config, name: str, road: Road, clock: Clock, incidents: Incidents, draw: Draw) -> Transport:
    bot, net = config.bot, config.networks[name]
    if isinstance(net, XmppNetwork):
        jabber = (one for one in config.networks.values() if isinstance(one, XmppNetwork))
        imports.import_slixmpp(lookups=any(one.address is None for one in jabber))
        from bot.transports.xmpp.transport import XmppTransport  # noqa: PLC0415 - 2 MiB, only for such networks

        return XmppTransport(
            name,
            net,
            nick=net.nick or bot.nick,
            prefix=bot.prefix,
            road=road,
            clock=clock,
            password=password(name, net) or "",
            room_lines=bot.room_lines,
            direct_lines=bot.direct_lines,
            incidents=incidents,
            draw=draw,
        )
    imports.import_irc()
    from bot.transports.irc.transport import IrcTransport  # noqa: PLC0415 - 3 MiB, as above

    return IrcTransport(
        name,
        net,
        nick=net.nick or bot.nick,
        prefix=bot.prefix,
        road=road,
        clock=clock,
        password=password(name, net),
        room_lines=bot.room_lines,
        direct_lines=bot.direct_lines,
        incidents=incidents,
        policies=FilePolicies(bot.state / "sts.json"),
    )


def password(name: str, net: Network) -> str | None:
    """Return the password of a network; ConfigError if it cannot be read, or is needed."""
    found = configs.secret(name, net.password_file)
    if found is None and isinstance(net, XmppNetwork):
        raise ConfigError(
            f"networks.{name}.password_file: missing: nobody gets into Jabber without a password"
        )
    return found


@dataclass(slots=True)
class Networks:
    """All network connections, as bot.ports.Links; what is said on them waits at the gangway.

    `ups` are called whenever a network is there again. Incidents go to the log alone until they have a store.
    """

    config: Config
    clock: SystemClock = field(default_factory=SystemClock)
    entropy: SystemEntropy = field(default_factory=SystemEntropy)
    gangway: Gangway = field(default_factory=Gangway)
    ups: list[Callable[[], None]] = field(default_factory=list)
    incidents: IncidentLog = field(init=False)
    transports: tuple[Transport, ...] = field(init=False)
    _supervisors: tuple[Supervisor, ...] = field(init=False)
    _tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.incidents = IncidentLog(self.clock, self.entropy)
        self.transports = make(self.config, self.gangway, self.clock, self.incidents)
        self._supervisors = tuple(
            Supervisor(transport, self.clock, self.entropy, self.incidents, self._up)
            for transport in self.transports
        )

    @property
    def supervisors(self) -> tuple[Supervisor, ...]:
        """What holds each connection, in their order."""
        return self._supervisors

    def status(self) -> tuple[LinkStatus, ...]:
        """Return what each connection is like now."""
        return tuple(transport.status() for transport in self.transports)

    def rooms(self, group: Group | None = None) -> tuple[Place, ...]:
        """Return the rooms that we belong in, of a group or all."""
        names = self.config.rooms_of(group) if group else self.config.rooms()
        return tuple(Place(network, room) for network, _, room in (name.partition("/") for name in names))

    def pass_on(self, relayed: Relayed) -> bool:
        """Say a relayed line on its network, as bot.ports.Loudspeaker."""
        found = (transport for transport in self.transports if transport.network == relayed.to.network)
        return any(transport.pass_on(relayed) for transport in found)

    def begin(self) -> None:
        """Begin to connect, each network by itself; done already where that is done."""
        if self._tasks:
            return
        for transport, supervisor in zip(self.transports, self._supervisors, strict=True):
            name = f"network {transport.network}"
            running = keep(name, supervisor.run, self.clock, self.incidents)
            self._tasks.append(asyncio.create_task(running, name=name))

    async def joined(self) -> None:
        """Wait until each network is in its rooms or could not be reached, HEAD_START seconds at most."""
        until = self.clock.monotonic() + HEAD_START
        while not all(map(self._is_settled, self._supervisors, self.status())):
            if self.clock.monotonic() >= until:
                return
            await self.clock.sleep(_LOOK_SECONDS)

    async def run(self) -> None:
        """Hold the connections until cancelled."""
        self.begin()
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Leave all networks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _is_settled(self, supervisor: Supervisor, status: LinkStatus) -> bool:
        wants_rooms = bool(self.config.networks[status.network].rooms)
        return bool(supervisor.status.error) or (status.up and bool(status.rooms) >= wants_rooms)

    def _up(self) -> None:
        for hear in self.ups:
            hear()


def prepare(config: Config, stack: AsyncExitStack) -> Networks:
    """Hold the state folder, and make the networks; what must be let go of again is left to the stack."""
    stack.enter_context(lock.hold(config.bot.state))
    networks = Networks(config)
    stack.push_async_callback(networks.close)
    return networks
