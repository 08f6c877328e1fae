"""What the verbs about the co-op share: the database, who is at the shell, and tables."""

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from bot.cli.basics import say
from bot.config import Config
from bot.errors import ConfigError
from bot.store.connection import Transaction, connect, faults, snapshot, transaction
from bot.store.database import FILE, prepare
from bot.store.registrar import SqlRegistrar


def database(config: Config) -> Path:
    """Return where the database is, or will be."""
    return config.bot.state / FILE


@contextmanager
def writing(config: Config) -> Iterator[Transaction]:
    """Hold one transaction, in a database that is made if it is not there."""
    path = database(config)
    with closing(connect(path)) as db, faults(path):
        prepare(db)
        with transaction(db, datetime.now(UTC)) as tx:
            yield tx


@contextmanager
def reading(config: Config) -> Iterator[Database]:
    """Hold one state of the database for reading; ConfigError if there is none."""
    path = database(config)
    if not path.exists():
        raise ConfigError(f"{path}: there is no database yet; shipboard member add makes it")
    if not path.is_file():
        raise ConfigError(f"{path}: is no file; move it away")
    with closing(connect(path, read_only=True)) as db, faults(path), snapshot(db):
        yield db


def registrar(config: Config) -> SqlRegistrar:
    """Return what writes the roster."""
    return SqlRegistrar({name: network.kind for name, network in config.networks.items()})


def by() -> str:
    """Return who is at the shell, for the audit book."""
    uid = os.getuid()
    try:
        return f"shell:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"shell:{uid}"


def table(rows: Sequence[Sequence[str]]) -> None:
    """Write rows in columns as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
