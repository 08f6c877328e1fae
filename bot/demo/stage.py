"""Sets the demo up: the IRC server, the guests, the bot; and takes it down again, the guests first."""

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot import app, wiring
from bot import config as configs
from bot.config import Config
from bot.coop.machines import Machine
from bot.demo import coop as coops
from bot.demo import jabber, kernel, prosody, rules
from bot.demo.client import Happened, Person, Said
from bot.demo.coop import BOT, Coop
from bot.demo.ircd import Ircd
from bot.demo.prosody import Prosody
from bot.errors import Conflict, Fault, ShipboardError, TransportFault
from bot.hypervisors.uml import sandbox
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.store import database, lock

PASSWORD_BITS = 60
TICK_SECONDS = 0.5
"""How often everything is measured, so that nobody has to wait for an alert."""

ABOARD_SECONDS = 30.0
"""How long the bot may take to be in its rooms and answer."""

log = logging.getLogger("shipboard.demo")


@dataclass(frozen=True, slots=True, repr=False)
class Stage:
    """The demo as it runs. `guests` says in a line what its machines are, `warnings` what they are not.

    `prosody` is None where Jabber is left out, and then `without_jabber` says why.
    """

    coop: Coop
    port: int
    passwords: Mapping[str, str]
    folder: Path
    guests: str
    warnings: tuple[str, ...]
    sailing: "asyncio.Task[None]"
    prosody: Prosody | None = None
    without_jabber: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    jabberers: dict[str, jabber.Person] = field(default_factory=dict)

    async def seat(self, name: str, *, proven: bool = True) -> Person:
        """Return the connection of that member, or of a stranger; made at first. KeyError: no such member."""
        if name not in self.people:
            password = self.passwords[name] if proven else None
            rooms = self.coop.rooms_of(name)
            self.people[name] = await Person.enter(self.port, name, password, rooms)
        return self.people[name]

    async def jabber_seat(self, name: str) -> jabber.Person:
        """Return that member's connection to the Jabber room; made at first."""
        if self.prosody is None:
            raise TransportFault(self.without_jabber)
        if name not in self.jabberers:
            self.jabberers[name] = await jabber.Person.enter(
                self.prosody, name, self.passwords[name], self.coop.jabber_room
            )
        return self.jabberers[name]

    async def play(self, act: Coroutine[Any, Any, None]) -> None:
        """Do something for as long as the bot runs; Fault if that ends first."""
        acting = asyncio.ensure_future(act)
        try:
            await asyncio.wait({acting, self.sailing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not acting.done():
                acting.cancel()
                await asyncio.gather(acting, return_exceptions=True)
        if acting.cancelled():
            cause = None if self.sailing.cancelled() else self.sailing.exception()
            raise Fault(f"the bot has ended: {cause or 'it said nothing'}") from cause
        acting.result()


@asynccontextmanager
async def stage(coop: Coop, folder: Path, cache: Path, say: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Run the demo in that folder, begun anew; `say` hears how it goes. ShipboardError if it cannot be."""
    async with AsyncExitStack() as stack:
        secrets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shipboard-")))
        _begin_anew(folder, cache)
        entropy = SystemEntropy()
        passwords = {name: entropy.token(PASSWORD_BITS) for name in coop.accounts}
        _write_private(secrets / "password", passwords[BOT.lower()])
        ircd = Ircd(passwords, clock=SystemClock(), motd=["The demo of shipboard. Don't panic."])
        port = await ircd.start()
        stack.push_async_callback(ircd.close)
        served, why = await _prosody(stack, folder, passwords)

        def spell(host: Mapping[str, str]) -> Config:
            path = folder / "config.toml"
            path.write_text(coops.config(coop, port, secrets / "password", host, served), encoding="utf-8")
            return configs.load(path)

        guests = await _choose(coop, spell, cache, say)
        config, machines = spell(guests.host), list(coop.machines)
        stack.push_async_callback(_end_guests, config, machines)
        ship = replace(await app.build(config, stack), every=TICK_SECONDS)
        await ship.store.write(lambda tx: coops.enter(tx, coop, jabber=served is not None))
        if guests.host["hypervisor"] == "fake":
            await ship.fleet.start(coop.machine(coop.booted))
        first = await Person.enter(port, coop.seat, passwords[coop.seat], coop.rooms_of(coop.seat))
        people = {coop.seat: first}
        stack.push_async_callback(_all_leave, people)
        sailing = asyncio.create_task(ship.sail(), name="the bot")
        stack.push_async_callback(_end_bot, ship, sailing, machines)
        told = (guests.text, guests.warnings)
        made = Stage(coop, port, passwords, folder, *told, sailing, served, why, people)
        stack.push_async_callback(_all_leave, made.jabberers)
        await made.play(_aboard(first, coop.room))
        if served:
            await made.play(_aboard_on_jabber(made))
        yield made


async def _prosody(
    stack: AsyncExitStack, folder: Path, passwords: Mapping[str, str]
) -> tuple[Prosody | None, str]:
    """Begin Jabber; whatever is wrong, the demo goes on without it and says why."""
    try:
        return await stack.enter_async_context(prosody.serving(folder / "prosody", passwords)), ""
    except (TransportFault, OSError) as reason:
        log.warning("no Jabber: %s", reason)
        return None, str(reason)


def _begin_anew(folder: Path, cache: Path) -> None:
    """Forget an earlier demo's co-op, but not yet its guests; ConfigError if one runs in this folder."""
    with lock.hold(folder):
        for path in folder.glob(f"{database.FILE}*"):
            path.unlink()
        shutil.rmtree(folder / wiring.OFF, ignore_errors=True)
        rules.provide(folder)
        cache.mkdir(parents=True, exist_ok=True)
        link = folder / "cache"
        if cache != link and not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(cache, folder), target_is_directory=True)


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Guests:
    """What the demo's machines are: the host's table of the config, and what is to be known."""

    host: Mapping[str, str]
    text: str
    warnings: tuple[str, ...]


async def _choose(
    coop: Coop, spell: Callable[[Mapping[str, str]], Config], cache: Path, say: Callable[[str], None]
) -> _Guests:
    """Boot one guest to see what works here; whatever is wrong, the demo goes on with played ones."""
    try:
        found = await kernel.provide(cache, say)
        kind, warnings = await asyncio.to_thread(_sandbox)
        host = {"hypervisor": "uml", "sandbox": kind}
        return _Guests(host, f"{await _probe(coop, spell(host))}, kernel {found}", warnings)
    except ShipboardError as fault:
        log.exception("no real guests")
        loud = f"NOT REAL: no guest boots here, so the machines are only played. {str(fault).splitlines()[0]}"
        return _Guests({"hypervisor": "fake"}, "played by a fake hypervisor", (loud,))


def _sandbox() -> tuple[str, tuple[str, ...]]:
    """Return which sandbox to ask for, and what is to be known of it."""
    try:
        sandbox.choose("auto", sandbox.Means.probe())
    except Conflict:
        cure = "install bubblewrap, or start the demo as root"
        return "none", (f"NO SANDBOX: the guests' root can reach your files here; {cure}.",)
    return "auto", ()


async def _probe(coop: Coop, config: Config) -> str:
    """End what an earlier demo left, and boot the machine that is up at first; return how that went."""
    await _end_guests(config, coop.machines)
    await asyncio.to_thread(shutil.rmtree, config.bot.state / coop.host, ignore_errors=True)
    clock = SystemClock()
    fleet = wiring.fleet(config, clock)
    try:
        begun = clock.monotonic()
        info = await fleet.start(coop.machine(coop.booted))
        kind = info.limits.sandbox if info.limits else "unknown"
        return f"{coop.booted} has booted in {clock.monotonic() - begun:.1f} s, sandbox {kind}"
    finally:
        await fleet.close()


async def _aboard(person: Person, room: str) -> None:
    """Wait until the bot has come into the room and answers."""
    try:
        async with asyncio.timeout(ABOARD_SECONDS), aclosing(person.events()) as events:
            async for event in events:
                if event == Happened(BOT, f"is in {room}"):
                    person.say(BOT, "ping aboard")
                elif isinstance(event, Said) and event.nick == BOT and event.text == "pong aboard":
                    return
    except TimeoutError as error:
        raise TransportFault(f"{BOT} did not answer in {room} within {ABOARD_SECONDS:g} s") from error
    raise TransportFault("the IRC server has ended")


async def _aboard_on_jabber(made: Stage) -> None:
    """Wait until the bot has come into the Jabber room: somebody there sees it, and goes again."""
    person = await made.jabber_seat(made.coop.seat)
    try:
        async with asyncio.timeout(ABOARD_SECONDS), aclosing(person.events()) as events:
            async for event in events:
                if event == Happened(BOT, f"is in {person.room}"):
                    return
    except TimeoutError as error:
        raise TransportFault(f"{BOT} was not in {person.room} within {ABOARD_SECONDS:g} s") from error
    finally:
        await made.jabberers.pop(made.coop.seat).leave()
    raise TransportFault("the Jabber server has ended")


async def _all_leave(people: Mapping[str, Person | jabber.Person]) -> None:
    await asyncio.gather(*(person.leave() for person in people.values()))


async def _end_bot(ship: app.Ship, sailing: "asyncio.Task[None]", machines: list[Machine]) -> None:
    """End the bot and the commands that it runs, and note what machines it had by then."""
    sailing.cancel()
    await asyncio.gather(sailing, return_exceptions=True)
    await ship.crew.pipeline.close()
    known = {machine.name for machine in machines}
    machines += [machine for machine in await ship.world.roster.machines() if machine.name not in known]


async def _end_guests(config: Config, machines: Sequence[Machine]) -> None:
    """Halt what runs of these machines at once: their disks are written, nothing else is worth a wait."""
    fleet = wiring.fleet(config, SystemClock())
    try:
        running = {info.name for info in await fleet.adopt(machines)}
        stops = (fleet.stop(machine, 0) for machine in machines if machine.name in running)
        for end in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(end, BaseException) and not isinstance(end, Conflict):  # it had ended by itself
                raise end
    finally:
        await fleet.close()
