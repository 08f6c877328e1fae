"""Plays the tour: the members' own connections say the lines, and each answer is waited for."""

import asyncio
import re
from dataclasses import dataclass, field

from bot.demo.client import Happened, Person, Said
from bot.demo.coop import BOT
from bot.demo.screen import Screen, Tint
from bot.demo.script import STRANGER, Line, Step
from bot.demo.stage import Stage
from bot.errors import Fault

_HEARD = 200  # lines that one person remembers for the report of what came instead


@dataclass(slots=True)
class Ear:
    """What one person heard from the bot since their last words."""

    person: Person
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
            for name in dict.fromkeys((self.stage.coop.seat, *(line.who for s in steps for line in s.lines))):
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
        person = await self.stage.seat(name, proven=name != STRANGER)
        ear = self.ears[name] = Ear(person)
        self.listening.append(asyncio.create_task(self._listen(name, ear), name=f"{name}'s ear"))

    async def _listen(self, name: str, ear: Ear) -> None:
        """Show what the bot says: to the room as the first person hears it, directly as each does."""
        async for event in ear.person.events():
            match event:
                case Said(nick, to, text) if nick == BOT and to in {self.stage.coop.room, ear.person.nick}:
                    if to == ear.person.nick:
                        self.screen.line(text, f"<{BOT} → {to}>", Tint.DIRECT)
                    elif name == self.stage.coop.seat:
                        self.screen.line(text, f"<{BOT}>", Tint.BOT)
                    if ear.lines.qsize() < _HEARD:
                        ear.lines.put_nowait(text)
                case Happened("", text):
                    self.screen.line(text, "!", Tint.LOUD)
        ear.lines.put_nowait("(the connection has ended)")

    async def _play(self, line: Line, where: str) -> None:
        ear, says = self.ears[line.who], line.says.format(**self.numbers)
        while not ear.lines.empty():
            ear.lines.get_nowait()
        self.screen.line(says, f"<{ear.person.nick}>", Tint.PERSON)
        ear.person.say(self.stage.coop.room, says)
        wanted, came = list(line.answers), list[str]()
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

    def _match(self, wanted: list[str], text: str) -> None:
        for pattern in wanted:
            if found := re.search(pattern, text):
                self.numbers.update(found.groupdict())
                wanted.remove(pattern)
                return
