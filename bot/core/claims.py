"""Claims the machines that a command changes, so that no two changes mix. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.coop.machines import Machine
from bot.core.plugin import Command
from bot.errors import Conflict
from bot.model import Call


@contextmanager
def claimed(busy: dict[str, str], declared: Command, call: Call) -> Iterator[None]:
    """Hold the machines of a call; Conflict names who holds one of them. `busy`: for whom, by machine."""
    changes = declared.exclusive and not declared.reads
    names = [value.name for value in call.values.values() if isinstance(value, Machine)] if changes else []
    for name in names:
        if name in busy:
            raise Conflict(f"{name} is busy with {busy[name]}; wait, or see !jobs.")
    busy.update(dict.fromkeys(names, f"{declared.name} by {call.actor}"))
    try:
        yield
    finally:
        for name in names:
            busy.pop(name, None)
