"""The co-op's policies: prose, and the numbers that it and the bot go by. Pure; `bot.config` reads the files.

A policy is one file: a block of TOML between two lines `+++`, then prose in which `{key}` stands for a number
of that block (`{warn_at_pct}`), of another policy (`{bandwidth.warn_at_pct}`) or of a type of motion
(`{vote.expel.open_hours}`).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.coop.shares import Share
from bot.coop.spans import counted
from bot.coop.voterules import VoteRules

Value = str | int | bool
Table = Mapping[str, "Value | Table"]

FENCE = "+++"
FIELD = re.compile(r"\{([a-z][a-z0-9_.-]*)\}")
_CHANGE = re.compile(r"([a-z][a-z0-9_.-]*)\.([a-z0-9_]+)\s*=\s*(-?\d{1,9})")
_DAY = 24
_UNITS = {"pct": "%", "mib": "MiB", "gib": "GiB"}
_COUNTED = frozenset({"hours", "days", "minutes"})


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy; `text` is its whole file, `table` the block's values."""

    name: str
    title: str
    version: int
    table: Table
    prose: str
    text: str = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the file's text, 64 hex digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class VotingStanding:
    """How long one must have been a member, and how many missed votes the quorum forgives."""

    min_tenure_days: int
    inactive_after_missed_votes: int


@dataclass(frozen=True, slots=True)
class Change:
    """A number that a motion asks to change: the policy, or `vote.KIND`; the key; the new value."""

    table: str
    key: str
    value: int

    def __str__(self) -> str:
        return f"{self.table}.{self.key} = {self.value}"


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """All policies as they are in force. `rules` has each type of motion, whole."""

    policies: Mapping[str, Policy]
    rules: Mapping[str, VoteRules]
    standing: VotingStanding

    def value(self, path: str, policy: str = "") -> Value:
        """Return what a path such as `bandwidth.warn_at_pct` names; KeyError if it names nothing.

        A path is looked for in the block of `policy` first.
        """
        head, _, rest = path.partition(".")
        if head == "vote":
            return self._of_rules(rest)
        own = self.policies.get(policy)
        found = _walk(own.table, path) if own else None
        if found is None and head in self.policies:
            found = _walk(self.policies[head].table, rest)
        if found is None:
            raise KeyError(path)
        return found

    def number(self, path: str) -> int:
        """Return the integer that a path names; KeyError if it names none."""
        value = self.value(path)
        if isinstance(value, bool) or not isinstance(value, int):
            raise KeyError(path)
        return value

    def allowance(self, share: Share, key: str) -> int:
        """Return what a share gets of `memory_mib`, `disk_gib`, `transfer_gib_month` or `price_cents`."""
        return share.of(self.number(f"shares.{key}"))

    def prose(self, name: str) -> str:
        """Return a policy's prose with its numbers filled in; KeyError where there is no such policy."""
        return FIELD.sub(lambda found: self._shown(found[1], name), self.policies[name].prose)

    def fields(self, name: str) -> Iterator[str]:
        """Yield the paths that a policy's prose names."""
        for found in FIELD.finditer(self.policies[name].prose):
            yield found[1]

    @property
    def digest(self) -> str:
        """SHA-256 over all policies' digests by name, 64 hex digits."""
        rows = "".join(f"{name} {self.policies[name].digest}\n" for name in sorted(self.policies))
        return hashlib.sha256(rows.encode()).hexdigest()

    def _of_rules(self, rest: str) -> Value:
        kind, _, key = rest.partition(".")
        if kind not in self.rules or not re.fullmatch("[a-z][a-z_]*", key):
            raise KeyError(f"vote.{rest}")
        value: Value | None = getattr(self.rules[kind], key, None)
        if value is None:
            raise KeyError(f"vote.{rest}")
        return value

    def _shown(self, path: str, policy: str) -> str:
        return shown(path.rpartition(".")[2], self.value(path, policy))


def shown(key: str, value: Value) -> str:
    """Return a number in the words of prose, by its key's unit.

    >>> shown("open_hours", 168), shown("warn_at_pct", 80), shown("price_cents", 40000), shown("seconds", 2)
    ('7 days', '80 %', '400.00 USD', '2')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    unit = key.removesuffix("_month").rpartition("_")[2]
    if unit == "cents":
        return f"{value // 100}.{value % 100:02d} USD"
    if unit == "hours" and value and value % _DAY == 0:
        return counted(value // _DAY, "day")
    return f"{value} {_UNITS[unit]}" if unit in _UNITS else _counted(value, unit)


def _counted(value: int, unit: str) -> str:
    return counted(value, unit.removesuffix("s")) if unit in _COUNTED else str(value)


def read_changes(text: str) -> tuple[Change, ...]:
    """Return the numbers that a motion's text asks to change, such as `bandwidth.warn_at_pct = 85`."""
    return tuple(Change(table, key, int(value)) for table, key, value in _CHANGE.findall(text))


def patched(text: str, change: Change) -> str:
    """Return a policy's file with a number changed, or put into its table, and its version raised.

    The table is the block itself, or `[vote.KIND]` in it. KeyError if the file has no such table.
    """
    wanted = f"[{change.table}]" if change.table.startswith("vote.") else ""
    lines, inside, done, header = text.split("\n"), not wanted, False, -1
    fences = [index for index, line in enumerate(lines) if line.strip() == FENCE]
    for index in range(fences[0] + 1, fences[1]):
        line = lines[index].strip()
        if line.startswith("["):
            inside = line.split("#")[0].strip() == wanted
            header = index if inside else header
        elif inside and re.match(rf"{re.escape(change.key)}\s*=", line):
            lines[index] = re.sub(r"=\s*-?\d+", f"= {change.value}", lines[index], count=1)
            done = True
        if not done and re.match(r"version\s*=\s*\d+", line) and not wanted:
            header = index
    if not done and header < 0:
        raise KeyError(change.table)
    if not done:
        lines.insert(header + 1, f"{change.key} = {change.value}")
    return _raised("\n".join(lines))


def _raised(text: str) -> str:
    return re.sub(
        r"(?m)^(version\s*=\s*)(\d+)", lambda found: f"{found[1]}{int(found[2]) + 1}", text, count=1
    )


def _walk(table: Table, path: str) -> Value | None:
    node: Value | Table = table
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return None if isinstance(node, Mapping) else node
