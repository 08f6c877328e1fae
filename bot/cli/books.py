"""shipboard backup | verify."""

from argparse import Namespace
from pathlib import Path

from bot.cli.basics import configured, say
from bot.cli.desk import database, reading
from bot.cli.papers import faults
from bot.coop.chain import SHOWN, is_head
from bot.coop.spans import counted
from bot.errors import ConfigError
from bot.store.chains import verify_all
from bot.store.connection import copy

BROKEN = 1


def backup(args: Namespace) -> int:
    """Copy the database to a file."""
    config, target = configured(args), Path(args.file).expanduser()
    with reading(config):
        copy(database(config), target)
    say(f"{target}: a whole copy of {database(config)}, checked; {target.stat().st_size} bytes.")
    return 0


def verify(args: Namespace) -> int:
    """Recompute every hash chain, and what plugins derive from theirs.

    The status is BROKEN if anything is not as it was, and a line names it.
    """
    if args.head is not None and not is_head(args.head.lower()):
        raise ConfigError(f"--head: {args.head!r} is no head; one has {SHOWN} to 64 hex digits")
    with reading(configured(args)) as db:
        verdicts = verify_all(db, args.head)
        found = faults(db, [chain for chain, verdict in verdicts.items() if verdict.whole])
    for name, lines in found.items():
        for line in lines or ("all as it was told.",):
            say(f"{name}: {'BROKEN: ' if lines else ''}{line}")
    for chain, verdict in verdicts.items():
        if verdict.fault:
            say(f"{chain}: BROKEN: {verdict.fault}.")
        else:
            say(f"{chain}: {counted(verdict.length, 'row')}, whole; head {verdict.head}")
    return BROKEN if any(found.values()) or not all(one.whole for one in verdicts.values()) else 0
