from pathlib import Path

import pytest

from bot import Identity, IdentityBound, IdentityKind, Place
from bot.core.registry import Override
from bot.runtime import loader
from bot.testing import Chat
from tests.plugins.conftest import ADMINS, GUEST, HOSTILE, forget, rows, tables

JABBER = Place("jabber", "ford@rooms.ford.example")
ALICE_THERE = Identity("jabber", IdentityKind.XMPP_JID, "alice@ford.example")


async def code_of(chat: Chat, who: str = "alice") -> str:
    return (await chat.say(who, "!link")).rsplit(" ", 1)[-1]


async def agreed(chat: Chat, who: str, text: str) -> str:
    """What is said after the yes."""
    assert (await chat.say(who, text)).endswith("Say !yes within 60 s.")
    return await chat.say(who, "!yes")


async def refused(chat: Chat, who: str, text: str) -> str:
    """What is answered at once, with no question that waits."""
    answer = await chat.say(who, text)
    assert await chat.say(who, "!yes") == "Nothing waits for your yes."
    return answer


async def test_the_list_is_one_line(chat: Chat) -> None:
    assert await chat.say("bob", "!member list") == "4 members: abe (admin), alice, ann (admin), bob."
    await agreed(chat, "ann", "!member set bob standing suspended")
    assert "bob, suspended" in await chat.say("alice", "!member list")


async def test_a_list_of_one_counts_one(chat: Chat) -> None:
    await chat.store.write(lambda tx: tx.db.execute("UPDATE machines SET owner = NULL"))
    for name in ("abe", "alice", "bob"):
        await agreed(chat, "ann", f"!member remove {name}")
    assert await chat.say("ann", "!member list") == "1 member: ann (admin)."


async def test_a_member_is_shown(chat: Chat) -> None:
    assert await chat.say("bob", "!member show Alice") == (
        "alice: member, full share, good standing, since 2026-11-22; identities: net:alice; machines: ford-3."
    )
    assert "machines: none." in await chat.say("bob", "!member show ann")


async def test_a_member_without_any_proof_is_shown(chat: Chat) -> None:
    await forget(chat, "identities")
    await chat.store.write(lambda tx: tx.db.execute("UPDATE members SET standing = 'suspended'"))
    identity = {"network": "net", "kind": "irc-account", "subject": "ann", "member": "ann"}
    at = "2026-11-22T12:00:00.000000Z"
    await chat.store.write(lambda tx: tx.db.table("identities").insert({**identity, "bound": at, "seen": at}))
    await chat.store.write(
        lambda tx: tx.db.execute("UPDATE members SET standing = 'good' WHERE name = 'ann'")
    )
    assert "half share, suspended, since 2026-11-22; identities: none;" in await chat.say(
        "ann", "!member show bob"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("add zaphod", "zaphod is a member with a full share. Next: !member identity zaphod NETWORK:SUBJECT"),
        ("add Trillian admin half", "trillian is an admin with a half share."),
    ],
)
async def test_an_admin_adds_a_member(chat: Chat, words: str, said: str) -> None:
    assert (await chat.say("ann", f"!member {words}")).startswith(said)
    name = words.split()[1].casefold()
    assert f"{name}: " in await chat.say("bob", f"!member show {name}")


async def test_an_identity_makes_known_and_is_told_to_both(chat: Chat) -> None:
    await chat.say("ann", "!member add zaphod")
    assert (await chat.say("zaphod", "!whoami")).startswith("You are a guest")
    assert await chat.say("ann", "!member identity zaphod net:Zaphod") == (
        "zaphod is known as net:zaphod from now on."
    )
    assert (await chat.say("zaphod", "!whoami")).startswith("You are zaphod, member")
    assert await chat.told() == [
        (ADMINS, "net:zaphod is now zaphod (by ann)."),
        ("member zaphod", "net:zaphod is now zaphod (by ann). If that was not you, tell an admin."),
    ]


async def test_taking_an_identity_away_asks_first_and_is_told(chat: Chat) -> None:
    assert await chat.say("ann", "!member unlink bob net:bob") == (
        "Take net:bob away from bob? Say !yes within 60 s."
    )
    assert await chat.say("ann", "!yes") == "bob is no longer known as net:bob."
    assert (await chat.say("bob", "!whoami")).startswith("You are a guest")
    assert [line for to, line in await chat.told() if to == ADMINS] == ["net:bob is no longer bob (by ann)."]


async def test_what_was_told_long_ago_to_nobody_is_not_told_for_ever(chat: Chat) -> None:
    await agreed(chat, "ann", "!member unlink bob net:bob")
    await chat.dispatcher.drain()
    expires = await chat.store.read(lambda db: [row["expires"] for row in db.table("outbox").rows])
    assert [when[:10] for when in expires] == ["2026-12-22", "2026-12-22"]


async def test_the_same_event_again_tells_nobody_twice(chat: Chat) -> None:
    event = IdentityBound(member="bob", network="net", subject="b", bound=True, by="ann")
    await chat.happen(event)
    await chat.happen(event)
    assert len(await chat.told()) == 2


async def test_of_a_member_who_is_gone_only_the_admins_hear(chat: Chat) -> None:
    await chat.happen(IdentityBound(member="gone", network="net", subject="g", bound=False, by="ann"))
    assert await chat.told() == [(ADMINS, "net:g is no longer gone (by ann).")]


async def test_a_change_asks_first_and_is_done(chat: Chat) -> None:
    assert await chat.say("ann", "!member set alice role ADMIN") == (
        "Set alice's role to admin? Say !yes within 60 s."
    )
    assert await chat.say("ann", "!yes") == "alice's role is admin."
    assert "alice: admin," in await chat.say("bob", "!member show alice")
    assert await agreed(chat, "ann", "!member set alice share half") == "alice's share is half."


async def test_a_slip_in_a_change_is_told_before_the_question(chat: Chat) -> None:
    usage = "Usage: !member set MEMBER role|share|standing member|admin|full|half|good|suspended"
    assert await chat.say("ann", "!member set alice role adminn") == (
        f"value is one of member, admin, full, half, good, suspended, not “adminn”. {usage}"
    )
    assert await chat.say("ann", "!member set alice rôle admin") == (
        f"field is one of role, share, standing, not “rôle”. {usage}"
    )
    assert await chat.say("ann", "!yes") == "Nothing waits for your yes."
    assert await refused(chat, "ann", "!member set alice role full") == "“full” is none of member, admin"
    assert await refused(chat, "ann", "!member set alice share good") == "“good” is none of full, half"


async def test_the_last_admin_stays(chat: Chat) -> None:
    await agreed(chat, "ann", "!member set abe role member")
    refusal = "ann is the last admin; make another one first."
    assert await refused(chat, "ann", "!member set ann role member") == refusal
    assert await refused(chat, "ann", "!member set ann standing suspended") == refusal
    assert await refused(chat, "ann", "!member remove ann") == refusal
    assert await agreed(chat, "ann", "!member set ann share half") == "ann's share is half."
    assert await agreed(chat, "ann", "!member set ann role admin") == "ann's role is admin."


@pytest.mark.parametrize("command", ["set ann role member", "set ann standing suspended", "remove ann"])
async def test_who_became_the_last_admin_before_the_yes_stays(chat: Chat, command: str) -> None:
    assert (await chat.say("ann", f"!member {command}")).endswith("Say !yes within 60 s.")
    await chat.store.write(lambda tx: tx.db.execute("UPDATE members SET role = 'member' WHERE name = 'abe'"))
    assert await chat.say("ann", "!yes") == "ann is the last admin; make another one first."
    assert "ann (admin)" in await chat.say("bob", "!member list")


async def test_an_identity_that_is_not_theirs_is_not_taken_away(chat: Chat) -> None:
    assert await refused(chat, "ann", "!member unlink alice net:bob") == "net:bob is not alice's."
    assert await refused(chat, "ann", "!member unlink alice net:nobody") == "net:nobody is not alice's."
    assert (await chat.say("ann", "!member unlink bob net:bob")).endswith("Say !yes within 60 s.")
    await chat.store.write(lambda tx: tx.db.execute("DELETE FROM identities WHERE member = 'bob'"))
    assert await chat.say("ann", "!yes") == "net:bob is not bob's."


async def test_an_only_identity_may_be_given_up(chat: Chat) -> None:
    await agreed(chat, "bob", "!unlink net")
    assert "identities: none;" in await chat.say("ann", "!member show bob")


async def test_a_member_with_machines_is_not_removed(chat: Chat) -> None:
    assert await refused(chat, "ann", "!member remove alice") == "alice still owns ford-3."
    assert await agreed(chat, "ann", "!member remove abe") == "abe is no member any more."
    assert await chat.say("bob", "!member show abe") == ("There is no member “abe”; !member list names them.")
    assert (await chat.say("abe", "!whoami")).startswith("You are a guest")


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        ("member add x1", "member add"),
        ("member identity alice net:x", "member identity"),
        ("member unlink alice net:alice", "member unlink"),
        ("member set bob role admin", "member set"),
        ("member remove bob", "member remove"),
        ("member remove nobody", "member remove"),
    ],
)
async def test_only_admins_write_the_roster(chat: Chat, command: str, refused: str) -> None:
    before = await tables(chat)
    assert await chat.say("bob", f"!{command}") == f"Only admins may {refused}."
    assert await chat.say("eve", f"!{command}") == f"Only admins may {refused}, and {GUEST}"
    assert await chat.say("ann", f"!{command}", proven=False) == f"Only admins may {refused}, and {GUEST}"
    assert await tables(chat) == before
    assert await chat.told() == []


@pytest.mark.parametrize("command", ["member list", "member show alice", "unlink net", "set zone UTC"])
async def test_guests_learn_nothing_of_the_roster(chat: Chat, command: str) -> None:
    name = command if command == "member list" else command.rsplit(" ", 1)[0].removesuffix(" zone")
    assert await chat.say("eve", f"!{command}") == f"Only members may {name}, and {GUEST}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("add", "name is missing. Usage: !member add NAME [member|admin] [full|half]"),
        ("add ann", "ann is a member already."),
        ("add x boss", "role is one of member, admin, not “boss”."),
        ("add 9lives", "is no member's name"),
        ("add co-op", "is no member's name"),
        ("identity alice", "identity is missing. Usage: !member identity MEMBER IDENTITY"),
        ("identity alice alice", "an identity is written NETWORK:SUBJECT"),
        ("identity alice oftc:alice", "no network is called “oftc”; there is jabber, net"),
        ("identity alice net:bob", "net:bob is bob's already."),
        ("identity alice jabber:server", "is a server"),
        ("show", "member is missing."),
        ("show zaphod", "There is no member “zaphod”; !member list names them."),
        ("lsit", "did you mean !member list?"),
        ("remove ann bob", "“bob” is more than I expected. Usage: !member remove MEMBER"),
    ],
)
async def test_slips_are_told_what_was_meant(chat: Chat, words: str, said: str) -> None:
    before = await tables(chat)
    assert said in await chat.say("ann", f"!member {words}")
    assert await tables(chat) == before
    assert chat.incidents.reported == []


async def test_hostile_words_change_nothing_but_what_they_may(chat: Chat) -> None:
    before = await tables(chat)
    for word in HOSTILE:
        for command in ("add", "identity alice", "unlink alice", "set alice role", "remove", "show"):
            assert await chat.say("ann", f"!member {command} {word}")
            await chat.say("ann", "!no")
        assert await chat.say("ann", f"!set zone {word}")
        assert await chat.say("ann", f"!set reach {word}")
        assert await chat.say("ann", f"!unlink {word}")
    assert chat.incidents.reported == []
    assert await tables(chat) == before


# --- one's own identities and settings


async def test_a_code_binds_another_identity(chat: Chat) -> None:
    answer = await chat.say("alice", "!link")
    assert answer.startswith(
        "(to alice) Say this within 10 minutes, once, where I do not know you yet: !link "
    )
    code = answer.rsplit(" ", 1)[-1]
    reply = await chat.hear("Alice", f"!link {code.upper()}", place=JABBER, identity=ALICE_THERE)
    assert reply.lines == ("Welcome, alice: you are known as jabber:alice@ford.example from now on.",)
    assert "known as jabber:alice@ford.example, net:alice." in await chat.say("alice", "!whoami") or (
        "known as net:alice, jabber:alice@ford.example." in await chat.say("alice", "!whoami")
    )
    assert (
        "member alice",
        "jabber:alice@ford.example is now alice (by alice). If that was not you, tell an admin.",
    ) in (await chat.told())


async def test_a_code_works_once_and_for_ten_minutes(chat: Chat) -> None:
    wrong = "That code is wrong, used or too old; a member gets a new one with !link."
    code = await code_of(chat)
    assert (await chat.say("al", f"!link {code}")).startswith("Welcome, alice")
    assert await chat.say("al2", f"!link {code}") == wrong
    code = await code_of(chat)
    await chat.clock.advance(601)
    assert await chat.say("al3", f"!link {code}") == wrong


async def test_a_newer_code_voids_the_older(chat: Chat) -> None:
    old, new = await code_of(chat), await code_of(chat)
    assert "wrong, used or too old" in await chat.say("al", f"!link {old}")
    assert (await chat.say("al", f"!link {new}")).startswith("Welcome, alice")


async def test_codes_are_for_members_and_bind_only_the_proven_and_unbound(chat: Chat) -> None:
    code = await code_of(chat)
    assert await chat.say("eve", "!link") == (
        "Only members get a code; say !link where you are known, then !link CODE here."
    )
    assert await chat.say("eve", f"!link {code}", proven=False) == (
        "net proves nothing about you; log in to your account there first."
    )
    assert await chat.say("bob", f"!link {code}") == "net:bob is bound to bob already."
    assert (await chat.say("al", f"!link {code}")).startswith("Welcome, alice")


async def test_a_suspended_member_gets_no_code(chat: Chat) -> None:
    code = await code_of(chat)
    await agreed(chat, "ann", "!member set alice standing suspended")
    assert (await chat.say("alice", "!link")).startswith("Only members get a code")
    assert await chat.say("al", f"!link {code}") == "alice is suspended."


async def test_guessing_codes_is_slowed_down(chat: Chat) -> None:
    for _ in range(5):
        assert "wrong, used or too old" in await chat.say("eve", "!link 0123456789abcdef")
    assert await chat.say("eve", "!link 0123456789abcdef") == "link may be used 5/10m; again in 600 s."


async def test_a_code_is_written_down_nowhere(chat: Chat) -> None:
    code = await code_of(chat)
    await chat.say("eve", f"!link {code} please")
    await chat.say("al", f"!link {code}")
    assert all(code not in repr(entry) for entry in await rows(chat))
    assert all(code not in row for row in await tables(chat))
    assert all(code not in line for _, line in await chat.told())


async def test_unlink_takes_back_ones_own_after_a_yes(chat: Chat) -> None:
    assert await chat.say("alice", "!unlink NET") == "Forget that net:alice is you? Say !yes within 60 s."
    assert await chat.say("alice", "!yes") == "You are no longer known as net:alice."
    assert (await chat.say("alice", "!whoami")).startswith("You are a guest")


async def test_unlink_refuses_before_it_asks(chat: Chat) -> None:
    assert await chat.say("alice", "!unlink jabber") == (
        "You are not known on “jabber”; !whoami names where you are."
    )
    assert await chat.say("alice", "!unlink") == "network is missing. Usage: !unlink NETWORK"
    assert await chat.say("alice", "!yes") == "Nothing waits for your yes."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("zone europe/berlin", "Your zone is Europe/Berlin."),
        ("zone off", "Your zone is not set."),
        ("reach NET", "Your reach is net."),
        ("reach -", "Your reach is not set."),
        ("quiet 22:00-07:00", "Your quiet is 22:00-07:00."),
        ("QUIET off", "Your quiet is not set."),
        ("zone Berlin", "“Berlin” is no time zone; write one like Europe/Berlin"),
        ("zone ../../etc/passwd", "is no time zone"),
        ("reach jabber", "You are not known on “jabber”; !whoami names where you are."),
        ("quiet 25:00-07:00", "does not fit; write it like 22:00-07:00"),
        ("name eve", "field is one of zone, reach, quiet, not “name”."),
        ("zone", "value is missing. Usage: !set zone|reach|quiet VALUE"),
    ],
)
async def test_own_settings(chat: Chat, words: str, said: str) -> None:
    assert said in await chat.say("alice", f"!set {words}")
    assert chat.incidents.reported == []


async def test_ones_settings_are_ones_own(chat: Chat) -> None:
    await chat.say("alice", "!set zone Europe/Berlin")
    zones = await chat.store.read(lambda db: {row["name"]: row["zone"] for row in db.table("members").rows})
    assert zones == {"abe": None, "alice": "Europe/Berlin", "ann": None, "bob": None}


async def test_an_operator_who_lets_anyone_has_guests_answered_kindly(tmp_path: Path) -> None:
    plugins = [loaded.plugin for loaded in loader.load(None, ()).loaded]
    opened = {name: Override(allow="anyone") for name in ("set", "unlink", "vm list", "can")}
    async with Chat.open(tmp_path, plugins, overrides=opened) as chat:
        refusal = "Only members have identities and settings."
        assert await chat.say("eve", "!set zone UTC") == refusal
        assert await chat.say("eve", "!set reach net", proven=False) == refusal
        assert await chat.say("eve", "!unlink net") == refusal
        assert await chat.say("eve", "!vm list mine") == "You own no machine."
        assert await chat.say("eve", "!can bob vm stop ford-1")
        assert chat.incidents.reported == []
