"""shipboard check --live: asks the running bot how it is. Status 0: well, 1: not, 2: there is none."""

import json
import os
import socket
from pathlib import Path
from typing import Any

from bot.cli.basics import say
from bot.config import Config
from bot.coop.spans import counted, span
from bot.errors import ConfigError
from bot.runtime.doorbell import reached

WELL, UNWELL = 0, 1
PATIENCE = 5.0
"""Seconds that the bot has for its answer."""

_MOST = 1 << 20


def live(config: Config) -> int:
    """Ask, and tell in one line; ConfigError where no bot runs on this state folder."""
    try:
        found = _ask(config.bot.state)
    except TimeoutError:
        say(f"unwell: the bot runs, but has not answered within {PATIENCE:.0f} s")
        return UNWELL
    except ValueError:
        say("unwell: the bot's answer cannot be read")
        return UNWELL
    say(_line(found))
    return UNWELL if found["faults"] else WELL


def _ask(state: Path) -> dict[str, Any]:
    try:
        with reached(state) as path, socket.socket(socket.AF_UNIX) as bell:
            bell.settimeout(PATIENCE)
            bell.connect(path)
            text = b""
            while not text.endswith(b"\n") and len(text) < _MOST and (more := bell.recv(65536)):
                text += more
    except TimeoutError:
        raise
    except BlockingIOError:  # too many wait already, unix(7): it is there, and does not get to them
        raise TimeoutError from None
    except OSError as error:
        raise ConfigError(
            f"{state}: no bot runs there, or it is not yours to ask: {os.strerror(error.errno or 0)}"
        ) from error
    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("faults"), list):
        raise ValueError("no answer of a bot's")  # noqa: TRY004 - as json.loads says it
    return found


def _line(found: dict[str, Any]) -> str:
    faults = "; ".join(map(str, found["faults"]))
    networks = ", ".join(f"{name} {how}" for name, how in found.get("networks", {}).items())
    return (
        f"{f'unwell: {faults}' if faults else 'well'}; version {found.get('version')}, "
        f"up {span(float(found.get('uptime', 0)))}; networks: {networks or 'none'}; "
        f"{counted(int(found.get('machines', 0)), 'machine')}; "
        f"{counted(int(found.get('outbox', 0)), 'message')} to be said; loop lag {found.get('lag_ms')} ms"
    )
