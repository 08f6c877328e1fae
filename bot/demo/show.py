"""The whole demo: set-up, then the terminal's seat, or the tour where there is no terminal."""

import asyncio
import io
import logging
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import bot
from bot.demo import coop as coops
from bot.demo import script, stage
from bot.demo.prosody import DOMAIN
from bot.demo.screen import Screen, Tint, wants_colour
from bot.demo.seat import HELP, Seat
from bot.demo.stage import Stage
from bot.demo.tour import Tour
from bot.errors import ConfigError, Fault

_LOG = logging.getLogger("shipboard.demo")
LOG = "demo.log"
OVER = "The demo is over, its machines are stopped."


def folders(package: Path, environ: Mapping[str, str]) -> tuple[Path, Path]:
    """Return where the demo keeps its state, and where what it fetches: below the checkout, else XDG's place.

    https://specifications.freedesktop.org/basedir-spec/: $XDG_STATE_HOME, or ~/.local/state.
    """
    data = package.parent / "data"
    if (package.parent / "pyproject.toml").is_file() and os.access(data, os.W_OK):
        return data / "demo", data / "cache"
    state = Path(environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "/", ".local/state")).absolute()
    folder = state / "shipboard/demo"
    return folder, folder / "cache"


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Run the demo until it is ended; return the exit status. ConfigError if it has no place to be."""
    folder, cache = folders(Path(bot.__file__).parent, environ)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = logging.FileHandler(folder / LOG, mode="w", encoding="utf-8")
    except OSError as error:
        cure = "set XDG_STATE_HOME to a folder that may be written"
        raise ConfigError(f"{error.filename}: {error.strerror}; {cure}") from error
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without UTF-8 shows what it can
    screen = Screen(sys.stdout, wants_colour(sys.stdout, environ))
    terminal = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(log)
    logging.getLogger().setLevel(logging.INFO)
    try:
        return asyncio.run(Show(folder, cache, screen, terminal).run())
    finally:
        logging.getLogger().removeHandler(log)
        log.close()


@dataclass(frozen=True, slots=True)
class Show:
    """One demo; `terminal` is the descriptor of the terminal where somebody sits, None where nobody does."""

    folder: Path
    cache: Path
    screen: Screen
    terminal: int | None

    async def run(self) -> int:
        """Run it; the first signal ends it in order, further ones change nothing. Return the exit status."""
        got: list[int] = []
        running = asyncio.ensure_future(self._run())

        def end(number: int) -> None:
            if not got:
                got.append(number)
                running.cancel()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, end, number)
        try:
            return await running
        except asyncio.CancelledError:
            self.screen.line(OVER)
            return os.EX_OK if self.terminal is not None else 128 + got[0]

    async def _run(self) -> int:
        self.screen.line(
            "Shipboard's demo: an IRC server, the bot and two virtual machines, all on this computer."
        )
        try:
            async with stage.stage(coops.load(), self.folder, self.cache, self._say) as made:
                introduce(made, self.screen)
                if self.terminal is None:
                    await self._tour(made)
                else:
                    await self._sit(made, self.terminal)
        except Fault as fault:
            _LOG.exception("the demo failed")
            self.screen.line(f"The demo failed: {fault}. Its log: {self.folder / LOG}", tint=Tint.LOUD)
            return 1
        self.screen.line(OVER)
        return os.EX_OK

    def _say(self, text: str) -> None:
        self.screen.line(f"  {text} …")

    async def _tour(self, made: Stage) -> None:
        clock = asyncio.get_running_loop().time
        begun = clock()
        steps = script.script(made.coop, jabber=made.prosody is not None)
        await made.play(Tour(made, self.screen).play(steps))
        self.screen.line()
        self.screen.line(
            f"The tour is over: every answer came, in {clock() - begun:.0f} s. On a terminal, you play."
        )

    async def _sit(self, made: Stage, terminal: int) -> None:
        coop = made.coop
        own = next(machine.name for machine in coop.machines if machine.owner == coop.seat)
        self.screen.line()
        self.screen.line(f"You are {coop.seat}, an admin, in {coop.room}. Try:")
        self.screen.line(f"  !help   !vm list   !vm start {own}   !vm run {own} uname -a")
        self.screen.line(f"  {HELP}")
        self.screen.line()
        seat = await Seat.take(made, self.screen)
        await made.play(seat.sit(terminal))


def introduce(made: Stage, screen: Screen) -> None:
    """Say what there is, who there is, and how to join."""
    coop = made.coop
    machines = {name: [m.name for m in coop.machines if m.owner == name] for name in made.passwords}
    for warning in made.warnings:
        screen.line(warning, tint=Tint.LOUD)
    screen.line(f"  machines  {made.guests}")
    screen.line(f"  server    127.0.0.1 port {made.port}, no TLS, room {coop.room}; new passwords each time:")
    for member in coop.members:
        what = ", ".join([member.role.value, f"{member.share.value} share", *machines[member.name]])
        screen.line(f"            {member.name:<10} {made.passwords[member.name]:<13}  {what}")
    guest = next(member.name for member in coop.members if member.name != coop.seat)
    _how_to_join(made, screen, guest)


def _how_to_join(made: Stage, screen: Screen, guest: str) -> None:
    coop, prosody = made.coop, made.prosody
    screen.line(
        f"  join it   irssi -c 127.0.0.1 -p {made.port} -w {guest}:{made.passwords[guest]} -n {guest}"
    )
    screen.line(f"            and there /join {coop.room}")
    if prosody is None:
        screen.line(f"  jabber    left out: {made.without_jabber}")
        return
    screen.line(
        f"  jabber    127.0.0.1 port {prosody.port}, STARTTLS, room {coop.jabber_room}, one with {coop.room};"
    )
    screen.line(f"            with any client as {guest}@{DOMAIN}, and so on: the passwords are the same")
    screen.line(f"            its certificate: SHA-256 {prosody.fingerprint}")
    screen.line(f"            its authority: {prosody.ca}")
