"""The demo's co-op: read from the seed, entered into a fresh database, spelled out as a config."""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.coop.chain import Cell
from bot.coop.events import Event
from bot.coop.machines import Machine
from bot.coop.people import Member, Role
from bot.coop.shares import Share
from bot.demo.prosody import DOMAIN, ROOMS, Prosody
from bot.errors import ConfigError
from bot.model import Notice
from bot.paths import share
from bot.ports import Tx
from bot.store.registrar import SqlRegistrar

if TYPE_CHECKING:
    from sqlite_utils import Database

NETWORK, JABBER = "irc", "jabber"
BOT = "Eddie"
POLICIES = "policies"
_BY = "the demo"


@dataclass(frozen=True, slots=True)
class Coop:
    """What the seed names; `seat` is whose the terminal is, `booted` the machine that is up at first."""

    host: str
    room: str
    admins_room: str
    seat: str
    booted: str
    members: tuple[Member, ...]
    machines: tuple[Machine, ...]

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that the IRC server must have: the bot's and every member's."""
        return (BOT.lower(), *(member.name for member in self.members))

    @property
    def jabber_room(self) -> str:
        """The Jabber room that is one conversation with the IRC server's."""
        return f"{self.room.lstrip('#')}@{ROOMS}"

    def rooms_of(self, name: str) -> tuple[str, ...]:
        """Return the rooms that somebody is in: admins have one more."""
        admin = any(member.name == name and member.is_admin for member in self.members)
        return (self.room, self.admins_room) if admin else (self.room,)

    def machine(self, name: str) -> Machine:
        """Return the machine of that name; KeyError if there is none."""
        return {machine.name: machine for machine in self.machines}[name]


def load(folder: Path | None = None) -> Coop:
    """Read the shipped seed, or the one in that folder; ConfigError if it is not as it should be."""
    path = (folder or share("seed")) / "coop.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        host = table["host"]
        coop = Coop(
            host,
            table["room"],
            table["admins_room"],
            table["seat"],
            table["booted"],
            tuple(Member(row["name"], Role(row["role"]), Share(row["share"])) for row in table["members"]),
            tuple(
                Machine(row["name"], host, row["owner"], Share(row["share"]), row["memory_mib"])
                for row in table["machines"]
            ),
        )
        coop.machine(coop.booted)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: is not a co-op: {type(error).__name__} {error}") from error
    return coop


@dataclass(frozen=True, slots=True)
class _Unannounced:
    """A transaction without notices and events: a co-op that begins has nobody to warn of itself."""

    tx: Tx

    @property
    def db(self) -> "Database":
        return self.tx.db

    @property
    def at(self) -> datetime:
        return self.tx.at

    def append(self, chain: str, cells: Mapping[str, Cell]) -> tuple[int, str]:
        return self.tx.append(chain, cells)

    def notice(self, notice: Notice) -> None:
        pass

    def event(self, event: Event) -> None:
        pass

    def afterwards(self, hook: Callable[[], None]) -> None:
        pass


def enter(tx: Tx, coop: Coop, *, jabber: bool = False) -> None:
    """Enter members, their accounts (with `jabber` there too) and machines, each with its row in the book."""
    registrar, quiet = SqlRegistrar({NETWORK: "irc", JABBER: "xmpp"}), _Unannounced(tx)
    for wanted in coop.members:
        member = registrar.add_member(quiet, wanted.name, wanted.role, wanted.share, _BY)
        known = (f"{NETWORK}:{wanted.name}", f"{JABBER}:{wanted.name}@{DOMAIN}")
        for identity in known if jabber else known[:1]:
            registrar.bind(quiet, member, registrar.identity(identity), _BY)
    for machine in coop.machines:
        registrar.add_machine(quiet, machine, _BY)


def _jabber(coop: Coop, prosody: Prosody, password_file: Path, both: Sequence[str]) -> str:
    return _JABBER.format(
        network=JABBER,
        jid=f"{BOT.lower()}@{DOMAIN}",
        port=prosody.port,
        ca=json.dumps(str(prosody.ca)),
        secret=json.dumps(str(password_file)),
        rooms=json.dumps([coop.jabber_room]),
        both=json.dumps(both),
    )


_JABBER = """
[networks.{network}]
kind = "xmpp"
jid = "{jid}"
address = "127.0.0.1:{port}"
tls_ca_file = {ca}
password_file = {secret}
rooms = {rooms}

[plugins.relay]
rooms = [{both}]
"""


_PLUGINS = """
[[plugins.alerts.rule]]  # as a policy's, but soon: everything is measured twice a second here
name = "excess-use"
scope = "machine"
metric = "cpu"
raise = 10
clear = 5
for = 3
clear_for = 0
to = "both"

[plugins.posts.digest]
when = "every mon 09:00"

[[plugins.posts.meetings]]
name = "The co-op's meeting"
when = "monthly first tue 19:00"
"""


def config(
    coop: Coop, port: int, password_file: Path, host: Mapping[str, str], prosody: Prosody | None = None
) -> str:
    """Return the demo's config as the text of a file in its state folder; `host` is its one host's table."""
    team = [f"{NETWORK}/{coop.room}", *([f"{JABBER}/{coop.jabber_room}"] if prosody else [])]
    rooms = [coop.room, coop.admins_room]
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in host.items())
    return f"""\
# Written anew by `shipboard demo` at each start. Try: shipboard --config FILE member list
[bot]
nick = "{BOT}"
state = "."
policies = "{POLICIES}"

[networks.{NETWORK}]
kind = "irc"
host = "127.0.0.1"
port = {port}
tls = false
account = "{BOT.lower()}"
password_file = {json.dumps(str(password_file))}
mechanisms = ["PLAIN"]
rooms = {json.dumps(rooms)}
login_hint = "log in with your account and password"
pace = {{ burst = 20, per_second = 10 }}  # as fast as this server takes lines

{_jabber(coop, prosody, password_file, team) if prosody else ""}
[places]
team = {json.dumps(team)}
admins = ["{NETWORK}/{coop.admins_room}"]
alerts = {json.dumps(team)}
{_PLUGINS}
[hosts.{coop.host}]
{table}
"""
