"""Counts bytes by named counters of nftables, `in_MACHINE` and `out_MACHINE`, a hyphen of a name being `_`.

The rules are the operator's: they alone say which bytes count. See nft(8) and libnftables-json(5).
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

from bot.coop.traffic import NFTABLES, Counter
from bot.errors import HypervisorFault
from bot.meters.interfaces import MOST_COUNTED

SECONDS = 3.0
"""How long nft may take."""

MOST_BYTES = 4 * 1024 * 1024
"""How much nft may say: a counter is 120 bytes."""

STALE_SECONDS = 60.0
"""How old a file with counters may be."""

_PATH = "/usr/sbin:/sbin"
"""Where nft is, also for users who have no such folders on their PATH."""


def read(boot: str, counters: str, machines: Collection[str]) -> dict[str, Counter]:
    """Return the counters of those machines that have both, as their guests see them.

    `counters` is a table like `inet acct`, or a file into which somebody else writes what nft says, for a bot
    that may not ask. HypervisorFault where there is no such table or file, where nft is not allowed or too
    slow, and where what it says is too old or nonsense.
    """
    if counters.startswith("/"):
        return parse(_written(Path(counters)), boot, machines)
    family, table = counters.split(" ")
    return parse(_nft(f"list tables {family}; list counters table {family} {table}"), boot, machines)


def _written(path: Path) -> str:
    try:
        with path.open("rb") as file:
            age = time.time() - os.fstat(file.fileno()).st_mtime
            said = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise HypervisorFault(f"the counters of nftables cannot be read: {error}") from error
    if age > STALE_SECONDS:
        raise HypervisorFault(f"{path} was written {age:.0f} s ago, so its counters are not those of now")
    if len(said) > MOST_BYTES:
        raise HypervisorFault(f"{path} has more than {MOST_BYTES} bytes")
    return said.decode("utf-8", "replace")


def _nft(commands: str) -> str:
    path = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{_PATH}")
    if path is None:
        raise HypervisorFault("nft is not installed, and the config asks for its counters")
    try:
        with subprocess.Popen(  # noqa: S603 - words of ours and of the config, no shell
            [path, "-j", commands],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            return _answer(process, commands)
    except OSError as error:
        raise HypervisorFault(f"nft cannot be run: {error}") from error


def _answer(process: subprocess.Popen[bytes], commands: str) -> str:
    """Return what nft says, or end it."""
    assert process.stdout and process.stderr  # noqa: S101, PT018 - they are pipes
    watch = Timer(SECONDS, _end, [process])
    watch.start()
    try:
        said = process.stdout.read(MOST_BYTES + 1)
        if len(said) > MOST_BYTES:
            _end(process)
        complaint = process.stderr.read(MOST_BYTES)
        status = process.wait()
    finally:
        watch.cancel()
    if len(said) > MOST_BYTES:
        raise HypervisorFault(f"nft says more than {MOST_BYTES} bytes")
    if status:
        why = complaint.decode("utf-8", "replace").strip().splitlines() or [f"status {status}"]
        raise HypervisorFault(f"nft fails at `{commands}`: {why[0][:200]}")
    return said.decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def parse(text: str, boot: str, machines: Collection[str]) -> dict[str, Counter]:
    """Read what nft wrote about its tables and counters; HypervisorFault for anything else.

    A table that is made anew gets another handle, its counters get their old ones: both make the epoch.
    """
    objects = list(_objects(text))
    tables = {_table(one, "name"): one for kind, one in objects if kind == "table"}
    named = {str(one.get("name")): one for kind, one in objects if kind == "counter"}
    found = {}
    for machine in machines:
        into, out = (named.get(f"{way}_{machine.replace('-', '_')}") for way in ("in", "out"))
        if into is not None and out is not None:
            lives = [(tables.get(_table(one, "table"), {}), one) for one in (into, out)]
            epoch = " ".join(f"{_number(table, 'handle')}.{_number(one, 'handle')}" for table, one in lives)
            found[machine] = Counter(
                f"{NFTABLES}{boot} {epoch}", received=_number(into, "bytes"), sent=_number(out, "bytes")
            )
    return found


def _table(one: Mapping[str, Any], key: str) -> tuple[str, str]:
    return str(one.get("family")), str(one.get(key))


def _objects(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield all objects of some documents, one behind the other."""
    try:
        for line in text.splitlines():
            for item in json.loads(line)["nftables"] if line.strip() else ():
                for kind, one in item.items():
                    if isinstance(one, dict):
                        yield kind, one
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise HypervisorFault(f"nft talks nonsense: {type(error).__name__} in {text[:80]!r}") from error


def _number(one: Mapping[str, Any], key: str) -> int:
    value = one.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MOST_COUNTED:
        raise HypervisorFault(f"nft talks nonsense: {key} is {str(value)[:40]!r}")
    return value
