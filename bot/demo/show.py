"""The whole demo: set-up, then the terminal's seat, or the tour where there is no terminal."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import bot
from bot.demo import coop as coops
from bot.demo import script, stage
from bot.demo.screen import Screen, Tint, wants_colour
from bot.demo.seat import HELP, Seat
from bot.demo.stage import Stage
from bot.demo.tour import Tour
from bot.errors import ConfigError, Fault

_LOG = logging.getLogger("shipboard.demo")
LOG = "demo.log"


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
    """Run the demo until it is ended; return the exit status."""
    folder, cache = folders(Path(bot.__file__).parent, environ)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = logging.FileHandler(folder / LOG, mode="w", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{error.filename}: {error.strerror}; set XDG_STATE_HOME to a folder that may be written"
        ) from error
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[log]
    )
    screen = Screen(sys.stdout, wants_colour(sys.stdout, environ))
    return asyncio.run(_until_signal(folder, cache, screen))


async def _until_signal(folder: Path, cache: Path, screen: Screen) -> int:
    """Run the demo; a signal ends it in order, and only once, so that what it started is ended too."""
    got: list[int] = []
    running = asyncio.ensure_future(_run(folder, cache, screen))

    def end(number: int) -> None:
        if not got:
            got.append(number)
            running.cancel()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        return await running
    except asyncio.CancelledError:
        screen.line("The demo is over, its machines are stopped.")
        return os.EX_OK if sys.stdin.isatty() else 128 + got[0]


async def _run(folder: Path, cache: Path, screen: Screen) -> int:
    screen.line("Shipboard's demo: an IRC server, the bot and two virtual machines, all on this computer.")
    try:
        async with stage.stage(coops.load(), folder, cache, lambda text: screen.line(f"  {text} …")) as made:
            introduce(made, screen)
            begun = asyncio.get_running_loop().time()
            if sys.stdin.isatty():
                await _sit(made, screen)
            else:
                await made.play(Tour(made, screen).play(script.script(made.coop)))
            seconds = asyncio.get_running_loop().time() - begun
    except Fault as fault:
        _LOG.exception("the demo failed")
        screen.line(f"The demo failed: {fault}. Its log: {folder / LOG}", tint=Tint.LOUD)
        return 1
    screen.line()
    if not sys.stdin.isatty():
        screen.line(
            f"The tour is over: every answer came, in {seconds:.0f} s. With a terminal, make run is yours."
        )
    screen.line("The demo is over, its machines are stopped.")
    return 0


def introduce(made: Stage, screen: Screen) -> None:
    """Say what there is, who there is, and how to join."""
    coop = made.coop
    machines = {name: [m.name for m in coop.machines if m.owner == name] for name in made.passwords}
    for warning in made.warnings:
        screen.line(warning, tint=Tint.LOUD)
    screen.line(f"  machines  {made.guests}")
    screen.line(
        f"  server    127.0.0.1 port {made.port}, room {coop.room}, no TLS; accounts with new passwords:"
    )
    for member in coop.members:
        what = ", ".join([member.role.value, f"{member.share.value} share", *machines[member.name]])
        screen.line(f"            {member.name:<10} {made.passwords[member.name]:<13} {what}")
    guest = next(member.name for member in coop.members if member.name != coop.seat)
    irssi = f"irssi -c 127.0.0.1 -p {made.port} -w {guest}:{made.passwords[guest]} -n {guest}"
    screen.line(f"  join it   {irssi}   then /join {coop.room}")


async def _sit(made: Stage, screen: Screen) -> None:
    coop = made.coop
    own = next(machine.name for machine in coop.machines if machine.owner == coop.seat)
    screen.line()
    screen.line(
        f"You are {coop.seat} in {coop.room}. Try !help, !vm list, !vm start {own}, !vm run {own} uname -a"
    )
    screen.line(f"{HELP} (or Ctrl-D)")
    screen.line()
    seat = await Seat.take(made, screen)
    await made.play(seat.sit(sys.stdin.fileno()))
