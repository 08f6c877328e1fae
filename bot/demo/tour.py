"""Plays the tour: the members' own connections say the lines, and each answer is waited for."""

import asyncio
import re
from dataclasses import dataclass, field

from bot.demo import jabber
from bot.demo.client import Happened, Person, Said
from bot.demo.coop import BOT, JABBER
from bot.demo.screen import Screen, Tint
from bot.demo.script import STRANGER, Line, Step
from bot.demo.stage import Stage
from bot.errors import Fault

_HEARD = 200  # lines that one person remembers for the report of what came instead


@dataclass(slots=True)
class Ear:
    """What one person heard from the bot since their last words; `shows`: also what it said to the room."""

    person: Person | jabber.Person
    room: str
    bot: str = BOT
    shows: bool = False
    lines: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    since: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tour:
    """The tour on a stage; `numbers` holds what answers named."""

    stage: Stage
    screen: Screen
    ears: dict[str, Ear] = field(default_factory=dict)
    listening: list["asyncio.Task[None]"] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)

    async def play(self, steps: tuple[Step, ...]) -> None:
        """Play every step; Fault names the first answer that did not come."""
        try:
            lines = [line for step in steps for line in step.lines]
            names = (name for line in lines for name in (line.who, line.heard_by) if name)
            for name in dict.fromkeys((self.stage.coop.seat, *names)):
                await self._seat(name)
            for number, step in enumerate(steps, start=1):
                self.screen.line()
                self.screen.line(f"-- {number}. {step.title}", tint=Tint.QUIET)
                for line in step.lines:
                    await self._play(line, f"step {number} ({step.title})")
        finally:
            for task in self.listening:
                task.cancel()
            await asyncio.gather(*self.listening, return_exceptions=True)

    async def _seat(self, name: str) -> None:
        coop = self.stage.coop
        account, _, network = name.partition("@")
        if network:
            person = await self.stage.jabber_seat(account)
            first = not any(one.bot == f"{BOT}@{JABBER}" for one in self.ears.values())
            ear = Ear(person, coop.jabber_room, f"{BOT}@{JABBER}", first)
        else:
            ear = Ear(
                await self.stage.seat(name, proven=name != STRANGER), coop.room, shows=name == coop.seat
            )
        self.ears[name] = ear
        self.listening.append(asyncio.create_task(self._listen(ear), name=f"{name}'s ear"))

    async def _listen(self, ear: Ear) -> None:
        """Show what the bot says: to a room as the first person there hears it, directly as each does."""
        async for event in ear.person.events():
            match event:
                case Said(nick, to, text) if nick == BOT and to in {ear.room, ear.person.nick}:
                    if to == ear.person.nick:
                        self.screen.line(text, f"<{ear.bot} → {to}>", Tint.DIRECT)
                    elif ear.shows:
                        self.screen.line(text, f"<{ear.bot}>", Tint.BOT)
                    if ear.lines.qsize() < _HEARD:
                        ear.lines.put_nowait(text)
                case Happened("", text):
                    self.screen.line(text, "!", Tint.LOUD)
        ear.lines.put_nowait("(the connection has ended)")

    async def _play(self, line: Line, where: str) -> None:
        ear, says = self.ears[line.heard_by or line.who], line.says.format(**self.numbers)
        while not ear.lines.empty():
            ear.lines.get_nowait()
        self._say(self.ears[line.who], line, says)
        wanted, came = [self._filled(answer) for answer in line.answers], list[str]()
        try:
            async with asyncio.timeout(line.seconds):
                while wanted:
                    came.append(await ear.lines.get())
                    self._match(wanted, came[-1])
        except TimeoutError as error:
            instead = f"; instead came: {' / '.join(came)}" if came else ""
            raise Fault(
                f"{where}: {line.who} said {says!r}, and no line with {wanted[0]!r} "
                f"came in {line.seconds:g} s{instead}"
            ) from error

    def _say(self, by: Ear, line: Line, says: str) -> None:
        network = line.who.partition("@")[2]
        who = f"{by.person.nick}@{network}" if network else by.person.nick
        self.screen.line(f"(a form) {says}" if line.form else says, f"<{who}>", Tint.PERSON)
        if line.form and isinstance(by.person, jabber.Person):
            by.person.fill(says)
        else:
            by.person.say(by.room, says)

    def _filled(self, pattern: str) -> str:
        """Return a pattern with what answers named in it; its own braces stay."""
        for name, value in self.numbers.items():
            pattern = pattern.replace(f"{{{name}}}", re.escape(value))
        return pattern

    def _match(self, wanted: list[str], text: str) -> None:
        for pattern in wanted:
            if found := re.search(pattern, text):
                self.numbers.update(found.groupdict())
                wanted.remove(pattern)
                return
