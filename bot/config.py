"""The configuration: TOML read into frozen models. Unknown keys are errors that name the key.

Relative paths are relative to the file. Secrets are never in it: they come from `password_file` or from
systemd's credentials (https://systemd.io/CREDENTIALS/).
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from bot.errors import ConfigError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

NAME = r"[a-z][a-z0-9_-]{0,30}"
"""What a network, a place, a host or a plugin may be called in the config."""


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("base", Path())
    if "\0" in str(path):
        raise ValueError("a path has no NUL in it")
    try:
        return base / path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: there is no such home directory") from error


def _fingerprint(text: str) -> str:
    digits = text.removeprefix("sha256:").replace(":", "").lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise ValueError("write a SHA-256 fingerprint as sha256: and 64 hex digits")
    return digits


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name} is no IANA time zone, write it like Europe/Berlin")
    return name


FilePath = Annotated[Path, AfterValidator(_beside_the_file)]
Name = Annotated[str, Field(pattern=f"^{NAME}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "EXTERNAL", "ECDSA-NIST256P-CHALLENGE"]
HypervisorKind = Literal["uml", "fake", "libvirt"]
SandboxKind = Literal["auto", "uid", "bwrap", "none"]


class Model(BaseModel):
    """A frozen table of the config in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BotTable(Model):
    """`[bot]`: the bot itself. `plugins` left out means all of ours; an empty list none but help."""

    nick: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,15}$")] = "Eddie"
    prefix: Annotated[str, Field(pattern=r"^[!-/:-@\[-`{-~]{1,3}$")] = "!"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    state: FilePath = Field(default=Path("data"), validate_default=True)
    policies: FilePath | None = None
    plugins: tuple[Name, ...] | None = None
    plugin_folders: tuple[FilePath, ...] = ()
    room_lines: Annotated[int, Field(ge=1, le=10)] = 3
    direct_lines: Annotated[int, Field(ge=10, le=500)] = 60

    @property
    def zone(self) -> ZoneInfo:
        """The bot's own time zone."""
        return ZoneInfo(self.timezone)


class Pace(Model):
    """How fast lines go out: `burst` at once, then `per_second`."""

    burst: Annotated[int, Field(ge=1, le=1000)] = 5
    per_second: Annotated[float, Field(gt=0, le=1000)] = 2.0


class IrcNetwork(Model):
    """A `[networks.NAME]` of kind "irc"."""

    kind: Literal["irc"]
    host: str
    port: Port = 6697
    tls: bool = True
    tls_ca_file: FilePath | None = None
    tls_fingerprints: tuple[Annotated[str, AfterValidator(_fingerprint)], ...] = ()
    nick: str | None = None
    account: str | None = None
    password_file: FilePath | None = None
    client_certificate: FilePath | None = None
    client_key: FilePath | None = None
    ecdsa_key: FilePath | None = None
    mechanisms: tuple[Mechanism, ...] | None = None
    rooms: tuple[Annotated[str, Field(pattern=r"^[#&][^\s,\x00-\x20]{1,63}$")], ...] = ()
    login_hint: str = "/msg NickServ IDENTIFY"
    pace: Pace | Literal["off"] = Pace()

    @model_validator(mode="after")
    def _plain_text_stays_at_home(self) -> Self:
        if not self.tls and not is_loopback(self.host):
            raise ValueError(
                f"tls = false is refused for {self.host}: passwords and proofs would travel in the clear"
            )
        return self


class XmppNetwork(Model):
    """A `[networks.NAME]` of kind "xmpp"."""

    kind: Literal["xmpp"]
    jid: Annotated[str, Field(pattern=r"^[^@/\s]+@[^@/\s]+$")]
    password_file: FilePath | None = None
    address: Annotated[str, Field(pattern=r"^[^\s]+:\d{1,5}$")] | None = None
    tls_ca_file: FilePath | None = None
    nick: str | None = None
    rooms: tuple[Annotated[str, Field(pattern=r"^[^@/\s]+@[^@/\s]+$")], ...] = ()


Network = Annotated[IrcNetwork | XmppNetwork, Field(discriminator="kind")]


class HostTable(Model):
    """`[hosts.NAME]`: a physical server and what runs its machines.

    `sandbox` "auto" takes another uid where the bot may switch, else bubblewrap; "none" must be written out.
    `folder` holds disks and logs; left out, it is NAME below `state`.
    """

    hypervisor: HypervisorKind
    folder: FilePath | None = None
    sandbox: SandboxKind = "auto"
    memory_mib: Annotated[int, Field(ge=24, le=65536)] = 64
    kernel: FilePath | None = None


class CommandTable(Model):
    """`[commands."NAME"]`: an operator's override of what a plugin declares."""

    allow: Literal["anyone", "members", "admins"] | None = None
    limit: Annotated[str, Field(pattern=r"^\d+/\d+[smhd]$")] | None = None
    confirm: bool | None = None
    rooms: tuple[str, ...] | None = None


class Config(Model):
    """The whole file."""

    bot: BotTable = BotTable()
    networks: dict[Name, Network] = {}
    places: dict[Name, tuple[str, ...]] = {}
    hosts: dict[Name, HostTable] = {}
    commands: dict[str, CommandTable] = {}
    plugins: dict[Name, dict[str, Any]] = {}
    source: Annotated[Path | None, Field(exclude=True)] = None

    @model_validator(mode="after")
    def _places_exist(self) -> Self:
        known = {f"{name}/{room}" for name, network in self.networks.items() for room in network.rooms}
        for name, rooms in self.places.items():
            for room in rooms:
                if room not in known:
                    raise ValueError(
                        f"places.{name}: no network joins {room}, add it to that network's rooms"
                    )
        return self

    def rooms_of(self, place: str) -> tuple[str, ...]:
        """Return the rooms, as network/room, that a place's name stands for.

        `team` left out is every room, `alerts` left out is `admins`, any other unknown name is nothing.
        """
        if place in self.places:
            return self.places[place]
        if place == "team":
            return tuple(
                f"{name}/{room}" for name, network in self.networks.items() for room in network.rooms
            )
        return self.rooms_of("admins") if place == "alerts" else ()


def is_loopback(host: str) -> bool:
    """Tell whether a connection to this host never leaves the machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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


def explain(error: ValidationError) -> str:
    """Put the first fault of a validation into one line: the key, what is wrong, the nearest right key."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(_keys(fault["loc"]))
    match fault["type"]:
        case "extra_forbidden":
            near = get_close_matches(str(fault["loc"][-1]), _all_keys(), n=1)
            what = "unknown key" + (f"; did you mean {near[0]}?" if near else "")
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
        if not tag and part != "Pace" and not str(part).startswith("literal["):
            yield str(part)


def _all_keys() -> tuple[str, ...]:
    tables: tuple[type[BaseModel], ...] = (
        Config,
        BotTable,
        IrcNetwork,
        XmppNetwork,
        HostTable,
        CommandTable,
        Pace,
    )
    return tuple(key for table in tables for key in table.model_fields if key != "source")


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
