"""Reading the policies: each file's block checked, and what they say about each other."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from pydantic import ConfigDict, StrictBool, StrictInt, StrictStr, TypeAdapter, ValidationError, create_model

from bot.config.load import explain
from bot.config.tables import Model
from bot.coop.policy import FENCE, Policy, PolicyBook, Value, VotingStanding
from bot.coop.voterules import VoteRules
from bot.errors import ConfigError

DEFAULT = "default"
"""The type of motion that all others are like, but for what they say themselves."""

REQUIRED = ("shares", "voting")
"""The policies without which the bot cannot count."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_STRICT = TypeAdapter(dict[str, StrictBool | StrictInt | StrictStr | dict[str, object]])


class _Block(Model):
    """What every policy's block has; the rest are its own numbers, and tables of them."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    title: str
    version: int


_RULES = create_model(  # type: ignore[call-overload]  # the fields are made from the dataclass's own
    "_Rules",
    __config__=ConfigDict(extra="forbid", strict=True),
    **{f.name: (f.type, f.default) for f in fields(VoteRules)},
)


def read_folder(folder: Path) -> PolicyBook:
    """Read a folder of policies; ConfigError with one line that names the file and the fault."""
    texts = {}
    try:
        for path in sorted(folder.glob("*.md")):
            if path.stem != "README":
                texts[path.stem] = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"policies: {folder}: {error}") from error
    if not texts:
        raise ConfigError(f"policies: {folder} holds no policy: copy ours there with `shipboard init`")
    return read(texts)


def read(texts: Mapping[str, str]) -> PolicyBook:
    """Check the files' texts by policy name; ConfigError with one line that names the file and the fault."""
    policies = {name: _policy(name, text) for name, text in texts.items()}
    if missing := [name for name in REQUIRED if name not in policies]:
        raise ConfigError(f"policies: {', '.join(f'{name}.md' for name in missing)} is missing")
    book = PolicyBook(policies, _all_rules(policies), _standing(policies["voting"]))
    for name in policies:
        for path in book.fields(name):
            try:
                book.value(path, name)
            except KeyError:
                raise ConfigError(f"policies: {name}.md: {{{path}}} names no number") from None
    return book


def _policy(name: str, text: str) -> Policy:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"policies: {name!r}: a policy is called by lower-case letters, digits and dashes")
    parts = re.split(rf"(?m)^{re.escape(FENCE)}[ \t]*$", text, maxsplit=2)
    if len(parts) != 3 or parts[0].strip():  # noqa: PLR2004 - before, block and prose
        raise ConfigError(f"policies: {name}.md: it begins with a block of TOML between two lines of {FENCE}")
    try:
        table = tomllib.loads(parts[1])
        block = _Block.model_validate(table)
        _STRICT.validate_python(table)
    except ValidationError as error:
        raise ConfigError(f"policies: {name}.md: {explain(error)}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"policies: {name}.md: not TOML: {error}") from error
    if not parts[2].strip():
        raise ConfigError(f"policies: {name}.md: it has no prose")
    return Policy(name, block.title, block.version, table, parts[2].strip(), text)


def _all_rules(policies: Mapping[str, Policy]) -> dict[str, VoteRules]:
    """Return the rules of each type of motion, what a policy leaves out being the default's."""
    tables: dict[str, tuple[str, Mapping[str, Value]]] = {}
    for name, policy in policies.items():
        for kind, table in _tables(policy):
            if kind in tables:
                raise ConfigError(f"policies: {name}.md: vote.{kind} stands in {tables[kind][0]}.md already")
            tables[kind] = (name, table)
    if DEFAULT not in tables:
        raise ConfigError("policies: voting.md: the table [vote.default] is missing")
    default = _rules(*tables[DEFAULT], {}, DEFAULT)
    rules = {
        kind: _rules(name, table, asdict(default), kind)
        for kind, (name, table) in tables.items()
        if kind != DEFAULT
    }
    for kind, rule in rules.items():
        target = rule.on_objection
        if target and target not in rules:
            raise ConfigError(f"policies: {tables[kind][0]}.md: vote.{kind}.on_objection: no type {target}")
    return rules


def _tables(policy: Policy) -> list[tuple[str, Mapping[str, Value]]]:
    votes = policy.table.get("vote", {})
    if not isinstance(votes, Mapping):
        raise ConfigError(f"policies: {policy.name}.md: vote is no table: write [vote.KIND]")
    found = []
    for kind, table in votes.items():
        if not _NAME.fullmatch(kind) or not isinstance(table, Mapping):
            raise ConfigError(f"policies: {policy.name}.md: vote.{kind} is no table of a type of motion")
        found.append((kind, table))
    return found  # type: ignore[return-value]  # a table within it is found by _rules


def _rules(name: str, table: Mapping[str, Value], default: Mapping[str, Value], kind: str) -> VoteRules:
    try:
        checked = _RULES.model_validate({**default, **table})
        return VoteRules(**checked.model_dump())
    except ValidationError as error:
        raise ConfigError(f"policies: {name}.md: vote.{kind}.{explain(error)}") from error
    except ValueError as error:
        raise ConfigError(f"policies: {name}.md: vote.{kind}: {error}") from error


def _standing(voting: Policy) -> VotingStanding:
    table = voting.table.get("standing")
    try:
        return TypeAdapter(VotingStanding).validate_python(table, strict=False)
    except ValidationError as error:
        raise ConfigError(f"policies: voting.md: standing.{explain(error)}") from error
