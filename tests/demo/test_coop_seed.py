"""The demo's co-op: what the seed holds, how it gets into a database, and the config that goes with it."""

from pathlib import Path

import pytest

from bot import config as configs
from bot.config import IrcNetwork, XmppNetwork
from bot.coop.people import Role
from bot.demo import coop as coops
from bot.demo.prosody import Prosody
from bot.errors import ConfigError
from bot.model import Identity, IdentityKind
from bot.runtime.clock import SystemClock
from bot.store.audit import AuditBook
from bot.store.database import SqliteStore
from bot.store.roster import SqlRoster
from bot.testing import FakeIncidents

SEED = """
host = "ford"
room = "#ford"
admins_room = "#admins"
seat = "ann"
booted = "one"
members = [{ name = "ann", role = "admin", share = "full" }]
machines = [{ name = "one", owner = "ann", share = "half", memory_mib = 32 }]
"""


def test_the_shipped_seed_has_five_members_two_admins_and_two_machines() -> None:
    coop = coops.load()
    assert len(coop.members) == 5
    assert [member.role for member in coop.members].count(Role.ADMIN) == 2
    assert len(coop.machines) == 2
    assert {machine.owner for machine in coop.machines} < {member.name for member in coop.members}


def test_the_seat_is_an_admins_who_owns_a_machine_that_is_down_at_first() -> None:
    coop = coops.load()
    own = {machine.name for machine in coop.machines if machine.owner == coop.seat}
    assert own
    assert coop.booted not in own
    assert coop.rooms_of(coop.seat) == (coop.room, coop.admins_room)
    assert coop.rooms_of("bob") == (coop.room,)
    assert coop.rooms_of("a stranger") == (coop.room,)


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ('role = "admin"', 'role = "king"', "king"),
        ('share = "full"', 'share = "all"', "all"),
        ('host = "ford"', "", "host"),
        ('booted = "one"', 'booted = "two"', "two"),
        ("members = [", "members = [1, ", "subscriptable"),
        ('room = "#ford"', "room = ", "Invalid value"),
    ],
)
def test_a_wrong_seed_is_one_line_that_names_the_fault(
    tmp_path: Path, right: str, wrong: str, named: str
) -> None:
    (tmp_path / "coop.toml").write_text(SEED.replace(right, wrong, 1))
    with pytest.raises(ConfigError, match=named) as caught:
        coops.load(tmp_path)
    assert "coop.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_seed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"coop\.toml: is not a co-op: FileNotFoundError"):
        coops.load(tmp_path)


async def test_the_co_op_is_entered_with_its_accounts_and_audit_rows_and_nobody_is_told(
    tmp_path: Path,
) -> None:
    coop, clock = coops.load(), SystemClock()
    store = await SqliteStore.open(tmp_path / "shipboard.db", clock)
    try:
        await store.write(lambda tx: coops.enter(tx, coop))
        roster = SqlRoster(store, clock)
        assert {member.name for member in await roster.members()} == {m.name for m in coop.members}
        assert await roster.machines() == coop.machines
        holder = await roster.holder(Identity("irc", IdentityKind.IRC_ACCOUNT, "bob"))
        assert holder is not None
        assert holder.name == "bob"
        book = AuditBook(store, clock, incidents=FakeIncidents())
        assert (await book.verify()).whole
        assert {row.entry.actor for row in await book.recent(50)} == {"the demo"}
        waiting = await store.read(lambda db: db.table("outbox").count + db.table("events").count)
        assert waiting == 0
        await book.close()
    finally:
        await store.close()


def test_the_config_is_one_that_loads_wherever_the_folder_is(tmp_path: Path) -> None:
    coop, secret = coops.load(), tmp_path / 'a "quoted" \\ folder' / "password"
    text = coops.config(coop, 4711, secret, {"hypervisor": "uml", "sandbox": "none"})
    config = configs.parse(text, tmp_path / "config.toml")
    network = config.networks["irc"]
    assert isinstance(network, IrcNetwork)
    assert (network.port, network.password_file, network.account) == (4711, secret, "eddie")
    assert config.bot.state == tmp_path
    assert config.hosts["ford"].sandbox == "none"
    assert config.rooms_of("team") == ("irc/#ford",)
    assert config.rooms_of("admins") == ("irc/#ford-admins",)


def test_with_prosody_the_room_there_and_the_channel_are_one_conversation(tmp_path: Path) -> None:
    coop, ca = coops.load(), tmp_path / "ca.pem"
    text = coops.config(
        coop, 4711, tmp_path / "password", {"hypervisor": "fake"}, Prosody(5222, 5223, ca, "")
    )
    config = configs.parse(text, tmp_path / "config.toml")
    network = config.networks["jabber"]
    assert isinstance(network, XmppNetwork)
    assert (network.address, network.tls_ca_file) == ("127.0.0.1:5222", ca)
    both = ("irc/#ford", "jabber/ford@conference.localhost")
    assert config.rooms_of("team") == both
    assert config.plugins["relay"] == {"rooms": [list(both)]}
    assert config.rooms_of("admins") == ("irc/#ford-admins",)
