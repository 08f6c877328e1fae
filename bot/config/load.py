"""Finding a config file, reading it, and saying in one line what is wrong with it."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError

from bot.config.tables import Config
from bot.coop.nearest import nearest
from bot.errors import ConfigError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def search_path(environ: Mapping[str, str], cwd: Path, home: Path) -> tuple[Path, ...]:
    """Return where a config is looked for when none is named, the first that exists wins."""
    return (
        *((Path(environ["SHIPBOARD_CONFIG"]),) if environ.get("SHIPBOARD_CONFIG") else ()),
        cwd / "config.toml",
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "shipboard/config.toml",
        Path("/etc/shipboard/config.toml"),
    )


def find(named: Path | None, environ: Mapping[str, str], cwd: Path, home: Path) -> Path:
    """Return the config file to read; ConfigError if there is none."""
    if named is not None:
        return named
    if environ.get("SHIPBOARD_CONFIG"):
        return Path(environ["SHIPBOARD_CONFIG"])
    places = search_path(environ, cwd, home)
    for path in places:
        if path.is_file():
            return path
    looked = ", ".join(str(path) for path in places)
    raise ConfigError(
        f"no config file: name one with --config, or make one with `shipboard init DIR` (looked at {looked})"
    )


def load(path: Path) -> Config:
    """Read and check a config file; ConfigError with one line that names the fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """Check a config's text as if it stood in that file; ConfigError with one line that names the fault."""
    try:
        table = tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: not TOML for people: nested too deeply") from error
    table.setdefault("bot", {})
    if "source" in table:
        raise ConfigError(f"{path}: source: unknown key")
    try:
        config = Config.model_validate(table, context={"base": path.absolute().parent})
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error)}") from error
    return config.model_copy(update={"source": path})


def explain(error: ValidationError, kind: type[BaseModel] | None = None, table: str = "") -> str:
    """Put the first fault of a validation into one line: the key, what is wrong, the nearest right key.

    `kind` is what was being read, the whole file if left out, and `table` the name of its table there.
    """
    fault = error.errors(include_url=False)[0]
    where = ".".join(filter(None, (table, *_keys(fault["loc"]))))
    match fault["type"]:
        case "extra_forbidden":
            near = nearest(str(fault["loc"][-1]), _keys_of(kind or Config))
            what = "unknown key" + (f"; did you mean {near}?" if near else "")
        case "missing":
            what = "missing"
        case "union_tag_not_found":
            what = 'kind is missing: write kind = "irc" or kind = "xmpp"'
        case "union_tag_invalid":
            what = 'unknown kind: write kind = "irc" or kind = "xmpp"'
        case _:
            what = fault["msg"].removeprefix("Value error, ")
    return _CONTROL.sub(" ", f"{where}: {what}" if where else what)


def _keys(place: tuple[int | str, ...]) -> Iterator[str]:
    """Leave what pydantic says about a union's choice out of the place of a fault."""
    for depth, part in enumerate(place):
        tag = depth == 2 and place[0] == "networks" and part in {"irc", "xmpp"}  # noqa: PLR2004 - networks.NAME.KIND
        if not tag and part not in {"Pace", "[key]"} and not str(part).startswith("literal["):
            yield str(part)


def _keys_of(kind: object) -> Iterator[str]:
    """Yield the keys of a table and of those in it, as they are written."""
    for part in get_args(kind):
        yield from _keys_of(part)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, known in kind.model_fields.items():
            if not known.exclude:
                yield known.alias or name
            yield from _keys_of(known.annotation)


def secret(network: str, file: Path | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return a network's password from its file, else from the systemd credential of that name, else None.

    ConfigError when the file is named but cannot be read, or is empty.
    """
    if file is None:
        folder = environ.get("CREDENTIALS_DIRECTORY")
        file = Path(folder, network) if folder else None
        if file is None or not file.is_file():
            return None
    try:
        password = file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"networks.{network}.password_file: {file} cannot be read: {error}") from error
    if not password:
        raise ConfigError(f"networks.{network}.password_file: {file} is empty")
    return password
