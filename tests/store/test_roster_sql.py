from datetime import timedelta
from functools import partial
from pathlib import PurePath

import pytest

from bot.coop.events import IdentityBound
from bot.coop.machines import Machine
from bot.coop.people import Member, Role, Standing
from bot.coop.shares import Share
from bot.errors import Conflict, Expired, NotFound, StoreFault, Usage
from bot.model import Identity, IdentityKind
from bot.ports import Registrar, Roster, Tx
from bot.store import roster as rows
from bot.store.connection import connect
from bot.store.database import SqliteStore
from bot.store.registrar import CODE_LIVES, SqlRegistrar
from bot.store.roster import STALE, SqlRoster
from tests.store.conftest import HandClock, account

DESK = SqlRegistrar({"oftc": "irc", "jabber": "xmpp"})
CODE = "k3j4h5g6f7d8s"


@pytest.fixture
def roster(store: SqliteStore, clock: HandClock) -> SqlRoster:
    return SqlRoster(store, clock)


@pytest.fixture
async def alice(store: SqliteStore) -> Member:
    return await store.write(lambda tx: DESK.add_member(tx, "alice", Role.ADMIN, Share.FULL, "test"))


@pytest.fixture
async def bob(store: SqliteStore) -> Member:
    return await store.write(lambda tx: DESK.add_member(tx, "bob", Role.MEMBER, Share.HALF, "test"))


async def bind(store: SqliteStore, member: Member, identity: Identity, by: str = "test") -> None:
    await store.write(lambda tx: DESK.bind(tx, member, identity, by))


async def set_(store: SqliteStore, member: Member, field: str, value: str) -> Member:
    return await store.write(lambda tx: DESK.set_member(tx, member, field, value, "test"))


async def audited(store: SqliteStore) -> list[tuple[str, str, str]]:
    sql = "SELECT actor, command, words FROM audit WHERE kind = 'changed' ORDER BY seq"
    return await store.read(lambda db: db.execute(sql).fetchall())


def test_they_are_the_ports(store: SqliteStore, clock: HandClock) -> None:
    registrar: Registrar = DESK
    roster: Roster = SqlRoster(store, clock)
    assert registrar.identity("oftc:Alice") == account("alice")
    assert roster.members.__doc__


async def test_a_member_is_found_in_any_case(
    roster: SqlRoster, alice: Member, bob: Member, clock: HandClock
) -> None:
    assert (
        await roster.member("ALICE") == alice == Member("alice", Role.ADMIN, Share.FULL, joined=clock.now())
    )
    assert await roster.members() == (alice, bob)
    assert await roster.member("carol") is None
    assert await roster.member("\udc80") is None


async def test_names_are_kept_in_lower_case(store: SqliteStore) -> None:
    member = await store.write(lambda tx: DESK.add_member(tx, "Arthur", Role.MEMBER, Share.FULL, "test"))
    assert member.name == "arthur"


@pytest.mark.parametrize("name", ["", "1a", "a b", "é", "a" * 32, "a\n", "co-op", "../x", "-a", "a\udc80"])
async def test_what_is_no_name_is_refused(store: SqliteStore, name: str) -> None:
    with pytest.raises(Usage, match="is no member's name"):
        await store.write(lambda tx: DESK.add_member(tx, name, Role.MEMBER, Share.FULL, "test"))


async def test_nobody_is_added_twice_or_as_a_guest(store: SqliteStore, alice: Member) -> None:
    with pytest.raises(Conflict, match="alice is a member already"):
        await store.write(lambda tx: DESK.add_member(tx, "Alice", Role.MEMBER, Share.FULL, "test"))
    with pytest.raises(Usage, match="a role is member or admin"):
        await store.write(lambda tx: DESK.add_member(tx, "carol", Role.GUEST, Share.FULL, "test"))
    assert await SqlRoster(store, HandClock()).members() == (alice,)


async def test_every_deed_has_its_row_in_the_audit_book(
    store: SqliteStore, alice: Member, bob: Member
) -> None:
    await bind(store, bob, account("bob"), "alice")
    await set_(store, bob, "role", "admin")
    await store.write(lambda tx: DESK.add_machine(tx, Machine("ford-1", "ford", "bob"), "alice"))
    await store.write(lambda tx: DESK.remove_machine(tx, "ford-1", "alice"))
    await store.write(lambda tx: DESK.offer_link(tx, bob, CODE))
    await store.write(lambda tx: DESK.remove_member(tx, alice, "bob"))
    assert await audited(store) == [
        ("test", "member add", "alice admin full"),
        ("test", "member add", "bob member half"),
        ("alice", "identity bind", "bob oftc:bob"),
        ("test", "member set", "bob role admin"),
        ("alice", "machine add", "ford-1 on ford of bob, full"),
        ("alice", "machine remove", "ford-1"),
        ("bob", "link", "offered"),
        ("bob", "member remove", "alice"),
    ]


async def test_a_deed_that_is_refused_leaves_no_row(store: SqliteStore, alice: Member) -> None:
    before = await audited(store)
    with pytest.raises(Conflict):
        await set_(store, alice, "role", "member")
    assert await audited(store) == before


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("role", "Admin", Role.ADMIN),
        ("share", "full", Share.FULL),
        ("standing", "suspended", Standing.SUSPENDED),
        ("zone", "europe/berlin", "Europe/Berlin"),
        ("reach", "Jabber", "jabber"),
        ("quiet", "22:00-07:00", "22:00-07:00"),
        ("quiet", "off", None),
        ("zone", "-", None),
    ],
)
async def test_fields_are_set(store: SqliteStore, bob: Member, field: str, value: str, kept: object) -> None:
    changed = await set_(store, bob, field, value)
    assert getattr(changed, field) == kept
    assert await SqlRoster(store, HandClock()).member("bob") == changed


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "x", "there is no “name” to set; there is role, share, standing, zone, reach, quiet"),
        ("name = 'x' --", "x", "there is no "),
        ("role", "guest", "“guest” is none of member, admin"),
        ("role", "-", "“-” is none of member, admin"),
        ("share", "third", "“third” is none of full, half"),
        ("standing", "", "“” is none of good, suspended"),
        ("zone", "Betelgeuse", "“Betelgeuse” is no time zone"),
        ("quiet", "22-7", "“22-7” does not fit; write it like 22:00-07:00"),
        ("reach", "a b", "“a b” does not fit"),
    ],
)
async def test_what_cannot_be_set_is_named(
    store: SqliteStore, bob: Member, field: str, value: str, said: str
) -> None:
    with pytest.raises(Usage, match=said):
        await set_(store, bob, field, value)


@pytest.mark.parametrize(("field", "value"), [("role", "member"), ("standing", "suspended")])
async def test_the_last_admin_stays_one(
    store: SqliteStore, alice: Member, bob: Member, field: str, value: str
) -> None:
    with pytest.raises(Conflict, match="alice is the last admin"):
        await set_(store, alice, field, value)
    with pytest.raises(Conflict, match="alice is the last admin"):
        await store.write(lambda tx: DESK.remove_member(tx, alice, "test"))
    await set_(store, bob, "role", "admin")
    assert not (await set_(store, alice, field, value)).is_admin
    with pytest.raises(Conflict, match="bob is the last admin"):
        await store.write(lambda tx: DESK.remove_member(tx, bob, "test"))


async def test_a_member_with_machines_stays(store: SqliteStore, bob: Member) -> None:
    await store.write(lambda tx: DESK.add_machine(tx, Machine("ford-1", "ford", "bob"), "test"))
    with pytest.raises(Conflict, match=r"bob still owns ford-1\."):
        await store.write(lambda tx: DESK.remove_member(tx, bob, "test"))
    await store.write(lambda tx: DESK.remove_machine(tx, "FORD-1", "test"))
    await store.write(lambda tx: DESK.remove_member(tx, bob, "test"))
    assert await SqlRoster(store, HandClock()).members() == ()


async def test_who_left_is_nobody(store: SqliteStore, roster: SqlRoster, alice: Member, bob: Member) -> None:
    await bind(store, bob, account("bob"))
    await store.write(lambda tx: DESK.offer_link(tx, bob, CODE))
    await store.write(lambda tx: DESK.remove_member(tx, bob, "alice"))
    assert await roster.holder(account("bob")) is None
    for late in (
        lambda tx: DESK.remove_member(tx, bob, "alice"),
        lambda tx: DESK.bind(tx, bob, account("x"), "alice"),
        lambda tx: DESK.set_member(tx, bob, "role", "admin", "alice"),
        lambda tx: DESK.offer_link(tx, bob, CODE),
    ):
        with pytest.raises(NotFound, match=r"Nobody is called bob\."):
            await store.write(late)
    with pytest.raises(Expired):
        await store.write(lambda tx: DESK.redeem_link(tx, CODE, account("x")))
    await bind(store, alice, account("bob"))


async def test_an_identity_is_one_members_and_never_moves(
    store: SqliteStore, roster: SqlRoster, alice: Member, bob: Member, clock: HandClock
) -> None:
    await bind(store, alice, account("alice"))
    for member in (alice, bob):
        with pytest.raises(Conflict, match=r"oftc:alice is alice's already\."):
            await bind(store, member, account("alice"))
    clock.advance(STALE.total_seconds() * 2)
    with pytest.raises(Conflict):
        await bind(store, bob, account("alice"))
    assert await roster.holder(Identity("oftc", IdentityKind.XMPP_JID, "alice")) is None
    assert await roster.holder(account("alice", "libera")) is None


async def test_an_identity_unseen_for_long_proves_nothing_until_it_is_bound_again(
    store: SqliteStore, roster: SqlRoster, alice: Member, clock: HandClock
) -> None:
    await bind(store, alice, account("alice"))
    clock.advance(STALE.total_seconds() - 1)
    assert await roster.holder(account("alice")) == alice
    clock.advance(STALE.total_seconds() - 1)
    assert await roster.holder(account("alice")) == alice
    clock.advance(STALE.total_seconds())
    assert await roster.holder(account("alice")) is None
    await bind(store, alice, account("alice"))
    assert await roster.holder(account("alice")) == alice


async def test_seeing_is_written_at_most_once_an_hour(
    store: SqliteStore, roster: SqlRoster, alice: Member, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bind(store, alice, account("alice"))
    writes = 0
    write = store.write

    async def counted(fn: object) -> object:
        nonlocal writes
        writes += 1
        return await write(fn)  # type: ignore[arg-type]  # it passes on what it is given

    monkeypatch.setattr(store, "write", counted)
    for _ in range(12):
        clock.advance(600)
        assert await roster.holder(account("alice")) == alice
    assert writes == 2


async def test_identities_come_last_seen_first(
    store: SqliteStore, roster: SqlRoster, alice: Member, clock: HandClock
) -> None:
    jid = Identity("jabber", IdentityKind.XMPP_JID, "alice@ford.example")
    for identity in (account("a"), account("b"), jid):
        await bind(store, alice, identity)
        clock.advance(4000)
    await roster.holder(account("a"))
    assert await roster.identities(alice) == (account("a"), jid, account("b"))


async def test_unbinding_is_for_its_own(
    store: SqliteStore, roster: SqlRoster, alice: Member, bob: Member
) -> None:
    await bind(store, alice, account("alice"))
    with pytest.raises(NotFound, match=r"oftc:alice is not bob's\."):
        await store.write(lambda tx: DESK.unbind(tx, bob, account("alice"), "bob"))
    await store.write(lambda tx: DESK.unbind(tx, alice, account("alice"), "alice"))
    assert await roster.holder(account("alice")) is None
    events = await store.read(lambda db: db.execute("SELECT type, body FROM events ORDER BY id").fetchall())
    assert [name for name, _ in events] == [IdentityBound.__name__] * 2
    assert '"bound":false' in events[1][1]


async def test_a_code_binds_one_identity_once(store: SqliteStore, roster: SqlRoster, bob: Member) -> None:
    await store.write(lambda tx: DESK.offer_link(tx, bob, CODE))
    assert await store.write(lambda tx: DESK.redeem_link(tx, f" {CODE.upper()} ", account("rob"))) == bob
    assert await roster.holder(account("rob")) == bob
    with pytest.raises(Expired, match="wrong, used or too old"):
        await store.write(lambda tx: DESK.redeem_link(tx, CODE, account("thief")))
    with pytest.raises(Expired):
        await store.write(lambda tx: DESK.redeem_link(tx, "guess\udc80", account("thief")))


async def test_a_code_lives_ten_minutes_and_only_the_newest(
    store: SqliteStore, bob: Member, clock: HandClock
) -> None:
    await store.write(lambda tx: DESK.offer_link(tx, bob, CODE))
    await store.write(lambda tx: DESK.offer_link(tx, bob, "newer"))
    with pytest.raises(Expired):
        await store.write(lambda tx: DESK.redeem_link(tx, CODE, account("rob")))
    clock.advance(CODE_LIVES.total_seconds())
    with pytest.raises(Expired):
        await store.write(lambda tx: DESK.redeem_link(tx, "newer", account("rob")))


async def test_a_code_moves_no_identity_and_is_not_spent_by_the_try(
    store: SqliteStore, alice: Member, bob: Member
) -> None:
    await bind(store, alice, account("alice"))
    await store.write(lambda tx: DESK.offer_link(tx, bob, CODE))
    with pytest.raises(Conflict, match="oftc:alice is alice's already"):
        await store.write(lambda tx: DESK.redeem_link(tx, CODE, account("alice")))
    assert await store.write(lambda tx: DESK.redeem_link(tx, CODE, account("rob"))) == bob


async def test_a_suspended_members_code_is_void(store: SqliteStore, bob: Member) -> None:
    await store.write(lambda tx: DESK.offer_link(tx, bob, CODE))
    await set_(store, bob, "standing", "suspended")
    with pytest.raises(Conflict, match="bob is suspended"):
        await store.write(lambda tx: DESK.redeem_link(tx, CODE, account("rob")))


async def test_codes_are_nowhere_in_the_file(store: SqliteStore, bob: Member) -> None:
    await store.write(lambda tx: DESK.offer_link(tx, bob, CODE))
    await store.write(lambda tx: DESK.redeem_link(tx, CODE, account("rob")))
    raw = await store.read(lambda db: "\n".join(db.iterdump()))
    assert CODE not in raw


async def test_machines_come_back_as_they_were(store: SqliteStore, roster: SqlRoster, bob: Member) -> None:
    assert bob.name == "bob"
    own = Machine("ford-1", "ford", "Bob", Share.HALF, 32, PurePath("/k"), PurePath("/i"))
    ours = Machine("aaa", "zaphod", disk=PurePath("/d/ü.img"))
    for machine in (ours, own):
        await store.write(partial(DESK.add_machine, machine=machine, by="test"))
    found = await roster.machines()
    assert found == (Machine("ford-1", "ford", "bob", Share.HALF, 32, PurePath("/k"), PurePath("/i")), ours)
    assert await roster.machine("FORD-1") == found[0]
    assert await roster.machine("x") is None


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Machine("Ford", "ford"), "is no machine's name"),
        (Machine("a" * 17, "ford"), "is no machine's name"),
        (Machine("a", "ford", memory_mib=1), "24 to 65536 MiB, not 1"),
        (Machine("a", "ford", "zaphod"), "Nobody is called zaphod"),
        (Machine("taken", "ford"), "There is a machine taken already"),
    ],
)
async def test_machines_that_cannot_be_are_refused(store: SqliteStore, machine: Machine, said: str) -> None:
    await store.write(lambda tx: DESK.add_machine(tx, Machine("taken", "ford"), "test"))
    with pytest.raises((Usage, NotFound, Conflict), match=said):
        await store.write(lambda tx: DESK.add_machine(tx, machine, "test"))
    with pytest.raises(NotFound, match="No machine is called nope"):
        await store.write(lambda tx: DESK.remove_machine(tx, "nope", "test"))


async def test_what_another_process_wrote_is_seen_at_once(
    store: SqliteStore, roster: SqlRoster, clock: HandClock
) -> None:
    other = await SqliteStore.open(store.path, clock)
    added = await other.write(lambda tx: DESK.add_member(tx, "carol", Role.MEMBER, Share.FULL, "shell:root"))
    await other.close()
    assert await roster.member("carol") == added


async def test_a_table_that_somebody_spoilt_is_a_fault(
    store: SqliteStore, roster: SqlRoster, bob: Member
) -> None:
    def spoil(tx: Tx) -> None:
        tx.db.execute("UPDATE members SET joined = 'once'")

    await store.write(spoil)
    with pytest.raises(StoreFault, match="'once' is no instant"):
        await roster.member(bob.name)
    other = connect(store.path, read_only=True)
    with pytest.raises(StoreFault):
        rows.all_members(other)
    other.close()


def test_stale_is_sixty_days() -> None:
    assert timedelta(days=60) == STALE
