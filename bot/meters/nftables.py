"""Counts bytes by named counters of nftables, `in_MACHINE` and `out_MACHINE`, a hyphen of a name being `_`.

The rules are the operator's: they alone say which bytes count. See nft(8) and libnftables-json(5).
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from threading import Timer
from typing import Any

from bot.coop.traffic import NFTABLES, Counter
from bot.errors import HypervisorFault
from bot.meters.interfaces import MOST_COUNTED

SECONDS = 3.0
"""How long nft may take."""

MOST_BYTES = 4 * 1024 * 1024
"""How much it may say: a counter is 120 bytes."""

_PATH = "/usr/sbin:/sbin"
"""Where nft is, also for users who have no such folders on their PATH."""


def read(boot: str, table: str, machines: Collection[str]) -> dict[str, Counter]:
    """Return the counters of those machines that have both, as their guests see them.

    `table` is like `inet acct`. HypervisorFault where nft is not there, not allowed, too slow, or talks
    nonsense, and where there is no such table.
    """
    family, name = table.split(" ")
    return parse(_nft(f"list tables {family}; list counters table {family} {name}"), boot, name, machines)


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
            return _answer(process)
    except OSError as error:
        raise HypervisorFault(f"nft cannot be run: {error}") from error


def _answer(process: subprocess.Popen[bytes]) -> str:
    """Return what nft says, or end it."""
    assert process.stdout and process.stderr  # noqa: S101, PT018 - they are pipes
    watch = Timer(SECONDS, _end, [process])
    watch.start()
    try:
        said = process.stdout.read(MOST_BYTES + 1)
        complaint = b"" if len(said) > MOST_BYTES else process.stderr.read(MOST_BYTES)
    finally:
        watch.cancel()
        _end(process)
    status = process.wait()
    if len(said) > MOST_BYTES:
        raise HypervisorFault(f"nft says more than {MOST_BYTES} bytes")
    if status:
        why = complaint.decode("utf-8", "replace").strip().splitlines() or [f"status {status}"]
        raise HypervisorFault(f"nft does not tell the counters: {why[0][:200]}")
    return said.decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def parse(text: str, boot: str, table: str, machines: Collection[str]) -> dict[str, Counter]:
    """Read what nft wrote about its tables and the counters of one; HypervisorFault for anything else.

    A table that is made anew gets another handle, its counters get their old ones: both make the epoch.
    """
    objects = list(_objects(text))
    handles = [
        _number(one, "handle") for kind, one in objects if kind == "table" and one.get("name") == table
    ]
    if len(handles) != 1:
        raise HypervisorFault(f"nft knows {len(handles)} tables {table}")
    found: Mapping[object, Any] = {one.get("name"): one for kind, one in objects if kind == "counter"}
    counters = {}
    for machine in machines:
        into, out = (found.get(f"{way}_{machine.replace('-', '_')}") for way in ("in", "out"))
        if into is not None and out is not None:
            epoch = f"{NFTABLES}{boot} {handles[0]}.{_number(into, 'handle')}.{_number(out, 'handle')}"
            counters[machine] = Counter(epoch, received=_number(into, "bytes"), sent=_number(out, "bytes"))
    return counters


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
