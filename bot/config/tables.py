"""The tables of the config, as frozen models in which an unknown key is an error."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

NAME = r"[a-z][a-z0-9_-]{0,30}"
"""What a network, a place, a host or a plugin may be called in the config."""

_FAMILIES = "inet|ip|ip6|bridge|netdev|arp"
"""What tables of nftables are for, nft(8)."""


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


def _like(pattern: str, example: str) -> AfterValidator:
    """Return what holds a text to a pattern, and otherwise says how it is written."""

    def hold(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f'"{text[:60]}" is not written like {example}')
        return text

    return AfterValidator(hold)


def _address(text: str) -> str:
    return _with_a_port(text, "127.0.0.1:5222")


def _with_a_port(text: str, example: str) -> str:
    host, _, port = text.rpartition(":")
    if (
        not host
        or re.search(r"\s", host)
        or not re.fullmatch("[0-9]{1,5}", port)
        or not 0 < int(port) < 2**16
    ):
        raise ValueError(f'"{text[:60]}" is no address with a port: write it like {example}')
    return text


def _loopback(text: str) -> str:
    host = _with_a_port(text, "127.0.0.1:9464").rpartition(":")[0].strip("[]")
    if not is_loopback(host):
        raise ValueError(
            f'"{text[:60]}" can be reached from elsewhere: listen on loopback, as 127.0.0.1:9464'
        )
    return text


FilePath = Annotated[Path, AfterValidator(_beside_the_file)]
Name = Annotated[str, _like(NAME, "ford")]
Port = Annotated[int, Field(ge=1, le=65535)]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "EXTERNAL", "ECDSA-NIST256P-CHALLENGE"]
HypervisorKind = Literal["uml", "fake", "libvirt"]
SandboxKind = Literal["auto", "uid", "bwrap", "none"]


class Model(BaseModel):
    """A frozen table of the config in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class BotTable(Model):
    """`[bot]`: the bot itself. `plugins` left out means all of ours; an empty list none but help."""

    nick: Annotated[str, _like("[A-Za-z][A-Za-z0-9_-]{0,15}", "Eddie")] = "Eddie"
    prefix: Annotated[str, _like(r"[!-/:-@\[-`{-~]{1,3}", "! or ~")] = "!"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    state: FilePath = Field(default=Path("data"), validate_default=True)
    policies: FilePath | None = None
    plugins: tuple[Name, ...] | None = None
    plugin_folders: tuple[FilePath, ...] = ()
    room_lines: Annotated[int, Field(ge=1, le=10)] = 3
    outbox_digest: Annotated[int, Field(ge=1, le=1000)] = 20
    direct_lines: Annotated[int, Field(ge=10, le=500)] = 60

    @property
    def zone(self) -> ZoneInfo:
        """The bot's own time zone."""
        return ZoneInfo(self.timezone)


class Pace(Model):
    """How fast lines go out: `burst` at once, then `per_second`."""

    burst: Annotated[int, Field(ge=1, le=1000)] = 5
    per_second: Annotated[float, Field(gt=0, le=1000)] = 2.0


_THIS_HOST = ("0.0.0.0", "::")  # noqa: S104 - to connect to: "this host on this network" (RFC 1122, 3.2.1.3)


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
    rooms: tuple[Annotated[str, _like(r"[#&][^\s,\x00-\x20]{1,63}", "#ford")], ...] = ()
    login_hint: str = "/msg NickServ IDENTIFY"
    pace: Pace | Literal["off"] = Pace()

    @model_validator(mode="after")
    def _plain_text_stays_at_home(self) -> Self:
        if not self.tls and not (is_loopback(self.host) or self.host in _THIS_HOST):
            raise ValueError(
                f"tls = false is refused for {self.host}: passwords and proofs would travel in the clear"
            )
        return self


class XmppNetwork(Model):
    """A `[networks.NAME]` of kind "xmpp": always TLS, at once with `direct_tls`, else STARTTLS."""

    kind: Literal["xmpp"]
    jid: Annotated[str, _like(r"[^@/\s]+@[^@/\s]+", "eddie@ford.example")]
    resource: Annotated[str, _like("[!-~]{1,64}", "shipboard")] = "shipboard"
    password_file: FilePath | None = None
    address: Annotated[str, AfterValidator(_address)] | None = None
    direct_tls: bool = False
    tls_ca_file: FilePath | None = None
    tls_fingerprints: tuple[Annotated[str, AfterValidator(_fingerprint)], ...] = ()
    nick: str | None = None
    rooms: tuple[Annotated[str, _like(r"[^@/\s]+@[^@/\s]+", "ford@rooms.ford.example")], ...] = ()
    login_hint: str = "write to me directly"
    pace: Pace | Literal["off"] = Pace(burst=10, per_second=5.0)


Network = Annotated[IrcNetwork | XmppNetwork, Field(discriminator="kind")]


class HostTable(Model):
    """`[hosts.NAME]`: a physical server and what runs its machines.

    `sandbox` "auto" takes another uid where the bot may switch, else bubblewrap; "none" must be written out.
    `folder` holds disks and logs; left out, it is NAME below `state`. `uplink`, `taps` and `counters` say
    where traffic is counted, see bot.meters.interfaces.
    """

    hypervisor: HypervisorKind
    folder: FilePath | None = None
    sandbox: SandboxKind = "auto"
    memory_mib: Annotated[int, Field(ge=24, le=65536)] = 64
    kernel: FilePath | None = None
    uplink: Annotated[str, _like(r"(?!\.\.?$)[^\s/:\x00-\x20]{1,15}", "eth0")] | None = None
    taps: Annotated[str, _like(r"[\w.-]{0,14}\{machine\}[\w.-]{0,14}", "t{machine}")] = "t{machine}"
    counters: Annotated[str, _like(rf"({_FAMILIES}) [A-Za-z]\w{{0,63}}|/[^\0]+", "inet acct")] | None = None


class HttpTable(Model):
    """`[http]`: the bot's metrics and health, for programs on this machine."""

    listen: Annotated[str, AfterValidator(_loopback)]

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class CommandTable(Model):
    """`[commands."NAME"]`: an operator's override of what a plugin declares."""

    allow: Literal["anyone", "members", "admins"] | None = None
    limit: Annotated[str, _like("[0-9]+/[0-9]+[smhd]", "3/10m")] | None = None
    confirm: bool | None = None
    rooms: tuple[str, ...] | None = None


class Config(Model):
    """The whole file."""

    bot: BotTable = BotTable()
    networks: dict[Name, Network] = {}
    places: dict[Name, tuple[str, ...]] = {}
    hosts: dict[Name, HostTable] = {}
    http: HttpTable | None = None
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

    def rooms(self) -> tuple[str, ...]:
        """Return every room that there is, as network/room."""
        return tuple(f"{name}/{room}" for name, network in self.networks.items() for room in network.rooms)

    def rooms_of(self, place: str) -> tuple[str, ...]:
        """Return the rooms, as network/room, that a place's name stands for.

        `team` left out is every room, `alerts` left out is `admins`, any other unknown name is nothing.
        """
        if place in self.places:
            return self.places[place]
        if place == "team":
            return self.rooms()
        return self.rooms_of("admins") if place == "alerts" else ()


def is_loopback(host: str) -> bool:
    """Tell whether a connection to this host never leaves the machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
