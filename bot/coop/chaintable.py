"""The SQL of a hash-chained table, for the ship's own and for plugins' migrations. Pure."""

import re
from collections.abc import Mapping

from bot.coop.chain import GENESIS

_NAME = re.compile("[a-z][a-z0-9_]*")


def statements(chain: str, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return what creates a chained table with these columns (name: SQL type and constraints).

    To be executed one after the other inside a migration. ValueError for what is no name.
    """
    for name in (chain, *columns):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a chained table or its column")
    cells = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    made = f"(seq INTEGER PRIMARY KEY, {cells}, prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT"
    grown = f"(SELECT length + 1 FROM chain_heads WHERE chain = '{chain}')"  # noqa: S608 - a name, checked
    return (
        f'CREATE TABLE "{chain}" {made}',
        f"INSERT INTO chain_heads (chain, length, head) VALUES ('{chain}', 0, '{GENESIS}')",  # noqa: S608 - names
        refusal(chain, "INSERT", f"NEW.seq IS NOT {grown}"),
        refusal(chain, "UPDATE"),
        refusal(chain, "DELETE"),
    )


def refusal(table: str, deed: str, when: str = "1") -> str:
    """Return the trigger that refuses to INSERT, UPDATE or DELETE rows of a table when something is so."""
    return (
        f'CREATE TRIGGER "{table}_no_{deed.lower()}" BEFORE {deed} ON "{table}" WHEN {when} '
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )
