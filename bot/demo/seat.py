"""The terminal as a member's seat: what is typed is said in the room, what others say is shown."""

import asyncio
import os
import signal
import termios
import tty
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bot.demo.client import Event, Happened, Person, Said
from bot.demo.coop import BOT
from bot.demo.editor import Editor, Ended
from bot.demo.screen import Screen, Tint
from bot.demo.stage import Stage
from bot.errors import ShipboardError

HELP = "/as NAME: another seat · /msg NICK TEXT · /join ROOM · /nick NICK · /quit"


@dataclass(slots=True)
class Seat:
    """Who sits at the terminal now, and where; every seat once taken is heard until the end."""

    stage: Stage
    screen: Screen
    person: Person
    room: str
    listening: "dict[Person, asyncio.Task[None]]" = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def take(cls, stage: Stage, screen: Screen) -> "Seat":
        """Sit down as the member whose seat it is."""
        seat = cls(stage, screen, await stage.seat(stage.coop.seat), stage.coop.room)
        seat._listen(seat.person)
        return seat

    async def sit(self, descriptor: int) -> None:
        """Stay until /quit, Ctrl-D, or the end of the terminal or the server."""
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        try:
            with keyboard(descriptor, self.screen, lambda: f"{self.prompt} ", lines.put_nowait):
                typing = asyncio.create_task(self._obey(lines))
                ending = asyncio.create_task(self.ended.wait())
                try:
                    await asyncio.wait({typing, ending}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    typing.cancel()
                    ending.cancel()
                    await asyncio.gather(typing, ending, return_exceptions=True)
        finally:
            for task in self.listening.values():
                task.cancel()
            await asyncio.gather(*self.listening.values(), return_exceptions=True)
        if not typing.cancelled():
            typing.result()

    @property
    def prompt(self) -> str:
        """What stands before what is typed."""
        name = f"<{self.person.nick}>"
        return name if self.room == self.stage.coop.room else f"{self.room} {name}"

    async def obey(self, line: str) -> bool:
        """Say a line, or do what it asks; False if that is to leave."""
        words = line.split()
        if not line.startswith("/") or line.startswith("//"):
            if words:
                self.person.say(self.room, line.removeprefix("/") if line.startswith("//") else line)
            return True
        if words[0] == "/quit":
            return False
        deed = _DEEDS.get(words[0])
        if deed is None or len(words) <= deed[0]:
            self.screen.line(HELP, "*", Tint.QUIET)
            return True
        self.screen.line(await deed[1](self, line.split(maxsplit=deed[0])), "*", Tint.QUIET)
        return True

    async def _obey(self, lines: "asyncio.Queue[str | None]") -> None:
        """Obey one line after the other, each shown when its turn comes: many may be pasted at once."""
        going_on = True
        while going_on and (line := await lines.get()) is not None:
            self.screen.entered(line)
            self.screen.redraw()
            going_on = await self.obey(line)
            self.screen.redraw()

    async def change(self, words: list[str]) -> str:
        """Take the seat of the member named."""
        name = words[1].lower()
        try:
            self.person = await self.stage.seat(name)
        except KeyError:
            return f"nobody is called {name}: there is {', '.join(m.name for m in self.stage.coop.members)}"
        except ShipboardError as error:
            return str(error)
        self.room = self.stage.coop.room
        self._listen(self.person)
        return f"you are {name} now, in {self.room}"

    async def whisper(self, words: list[str]) -> str:
        """Say something to one person alone."""
        self.person.say(words[1], words[2])
        return f"to {words[1]} alone: {words[2]}"

    async def join(self, words: list[str]) -> str:
        """Enter a room, and speak there from now on."""
        self.person.join(words[1])
        self.room = words[1]
        return f"what you type goes to {self.room} now"

    async def rename(self, words: list[str]) -> str:
        """Ask for another nick."""
        self.person.rename(words[1])
        return "the nick changes, the account stays"

    def _listen(self, person: Person) -> None:
        if person not in self.listening:
            self.listening[person] = asyncio.create_task(self._hear(person))

    async def _hear(self, person: Person) -> None:
        async for event in person.events():
            shown = show(event, person.nick, self.room, current=person is self.person)
            if shown is not None:
                self.screen.line(*shown)
        if person is self.person:
            self.screen.line("the IRC server has ended", "!", Tint.LOUD)
            self.ended.set()


_ACTION = "\x01ACTION "  # https://modern.ircdocs.horse/ctcp
_DEEDS: Mapping[str, tuple[int, Callable[[Seat, list[str]], Awaitable[str]]]] = {
    "/as": (1, Seat.change),
    "/join": (1, Seat.join),
    "/msg": (2, Seat.whisper),
    "/nick": (1, Seat.rename),
}
"""What a word with a slash does, and how many words it takes."""


def show(event: Event, nick: str, room: str, *, current: bool) -> tuple[str, str, Tint] | None:
    """Return an event as line, mark and colour, or None; of the other seats only direct words are shown."""
    match event:
        case Said(who, _, text) if text.startswith(_ACTION):
            return (f"{who} {text.removeprefix(_ACTION)}", "*", Tint.PERSON) if current else None
        case Said(who, to, text) if to.startswith("#"):
            where = "" if to.lower() == room.lower() else f"{to} "
            return (text, f"{where}<{who}>", Tint.BOT if who == BOT else Tint.PERSON) if current else None
        case Said(who, to, text):
            return text, f"<{who} → {to}>", Tint.DIRECT
        case Happened("", text):
            return text, "!", Tint.LOUD
        case Happened(who, text):
            return (f"{who} {text}", "*", Tint.QUIET) if current and who != nick else None


@contextmanager
def keyboard(
    descriptor: int, screen: Screen, prompt: Callable[[], str], typed: Callable[[str | None], None]
) -> Iterator[None]:
    """Read a terminal key by key: `typed` gets each line, and None at the end; the terminal is restored."""
    loop, editor = asyncio.get_running_loop(), Editor()

    def view(columns: int) -> tuple[str, str, int]:
        start = prompt()
        return start, *editor.view(max(columns - len(start), 1))

    def read() -> None:
        try:
            data = os.read(descriptor, 4096)
            lines = editor.feed(data)
        except (OSError, Ended):
            data, lines = b"", []
        for line in lines:
            typed(line)
        if not data:
            loop.remove_reader(descriptor)
            typed(None)
        screen.redraw()

    def begin() -> None:  # again, when the shell has had the terminal meanwhile (Ctrl-Z and fg)
        tty.setcbreak(descriptor, termios.TCSADRAIN)
        screen.redraw()

    before = termios.tcgetattr(descriptor)
    screen.typed = view
    begin()
    loop.add_reader(descriptor, read)
    loop.add_signal_handler(signal.SIGCONT, begin)
    try:
        yield
    finally:
        screen.release()
        loop.remove_reader(descriptor)
        loop.remove_signal_handler(signal.SIGCONT)
        with suppress(termios.error):  # it has gone
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
