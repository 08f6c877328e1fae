from pathlib import Path

import pytest

from bot.coop.people import Role
from bot.core.registry import Override
from bot.model import Identity, IdentityKind, Place
from bot.testing import Chat
from tests.core.conftest import Probe, book


async def test_a_member_is_answered_and_it_is_written_down(talk: Chat, probe: Probe) -> None:
    assert await talk.say("alice", "!note buy more RAM") == "noted buy more RAM"
    assert probe.runs == ["alice: buy more RAM"]
    assert await book(talk) == [
        "asked | note | buy more RAM",
        "done | note | buy more RAM | noted buy more RAM",
    ]


async def test_a_guest_learns_nothing_of_which_machines_exist(talk: Chat, probe: Probe) -> None:
    there = await talk.say("zed", "!look ford-3")
    assert there == await talk.say("zed", "!look no-such-thing")
    assert there == await talk.say("zed", "!look")
    assert there == await talk.say("alice", "!look ford-3", proven=False)
    assert there == "Only members may look, and to me you are a guest: see !whoami."
    assert probe.runs == []
    assert [row.split(" | ")[0] for row in await book(talk)] == ["refused"] * 4


async def test_a_guest_is_told_how_to_prove_oneself_there(tmp_path: Path, probe: Probe) -> None:
    async with Chat.open(tmp_path, [probe.plugin]) as chat:
        chat.crew.pipeline.hints["net"] = "/msg NickServ IDENTIFY"
        answer = await chat.say("zed", "!note x")
    assert answer == (
        "Only members may note, and to me you are a guest: first /msg NickServ IDENTIFY, then !whoami."
    )


async def test_the_resource_half_looks_at_the_machine(talk: Chat) -> None:
    assert await talk.say("bob", "!wipe ford-3") == "Only the owner of the machine or admins may wipe."
    assert await talk.say("bob", "!wipe nope") == "There is no machine “nope”; !vm list names them."
    assert await talk.say("alice", "!wipe FORD-3") == "Wipe ford-3 of alice? Say !yes within 60 s."


async def test_a_suspended_member_is_a_guest_with_a_name(talk: Chat, probe: Probe) -> None:
    await talk.store.write(
        lambda tx: tx.db.execute("UPDATE members SET standing = 'suspended' WHERE name = 'bob'")
    )
    assert await talk.say("bob", "!note x") == "Only members may note; you are suspended."
    assert await talk.say("bob", "!wave") == ""
    assert probe.runs == ["bob waved"]


async def test_one_who_is_proven_elsewhere_is_the_same_member(talk: Chat, probe: Probe) -> None:
    jid = Identity("jabber", IdentityKind.XMPP_JID, "a@example.org")

    row = {"network": "jabber", "kind": "xmpp-jid", "subject": jid.subject, "member": "alice"}
    await talk.store.write(
        lambda tx: tx.db.table("identities").insert(
            {**row, "bound": "x", "seen": "2026-11-22T12:00:00.000000Z"}
        )
    )
    assert (await talk.hear("a", "!note hi", identity=jid)).lines == ("noted hi",)
    assert probe.runs == ["alice: hi"]


async def test_names_are_left_out_where_they_can_only_mean_one(talk: Chat, probe: Probe) -> None:
    assert await talk.say("alice", "!look") == "ford-3 is there."
    assert await talk.say("ann", "!look") == "machine is missing. Usage: !look MACHINE"
    await talk.store.write(lambda tx: tx.db.execute("UPDATE machines SET owner = 'alice'"))
    assert await talk.say("alice", "!look") == "Which machine: ford-1, ford-3, ford-9? Usage: !look MACHINE"
    assert probe.runs == ["look ford-3"]
    assert (await book(talk))[0] == "done | look | ford-3 | ford-3 is there."


async def test_unknown_words_are_answered_when_they_are_meant_for_us(talk: Chat) -> None:
    assert await talk.say("alice", "!frobnicate") == ""
    assert await talk.say("alice", "well, !note is nice") == ""
    assert await talk.say("alice", "Eddie: noet x") == "I know no “noet x”; did you mean !note?"
    assert await talk.say("alice", "notes", direct=True) == "I know no “notes”; did you mean !note?"
    assert await talk.say("zed", "notes", direct=True) == "I know no “notes”; !help tells what there is."
    assert await talk.say("alice", "qqq", direct=True) == "I know no “qqq”; !help tells what there is."
    assert await talk.say("alice", "Eddie:") == "Yes? !help tells what you may ask."
    assert await talk.say("alice", "!!!") == ""


async def test_words_that_do_not_fit_are_answered_with_the_usage(talk: Chat, probe: Probe) -> None:
    assert await talk.say("alice", "!note") == "text is missing. Usage: !note TEXT…"
    assert (
        await talk.say("alice", "!look ford-3 now") == "“now” is more than I expected. Usage: !look MACHINE"
    )
    usage = "Usage: !praise MEMBER [TIMES]"
    assert await talk.say("alice", "!praise bob x") == f"times is a whole number, not “x”. {usage}"
    assert await talk.say("alice", "!praise bob -1") == f"times is a whole number, not “-1”. {usage}"
    huge = "9" * 20
    assert await talk.say("alice", f"!praise bob {huge}") == f"“{huge}” is too large a number. {usage}"
    assert await talk.say("alice", "!praise carol") == "There is no member “carol”; !member list names them."
    assert probe.runs == []


async def test_quotes_group_and_apostrophes_are_letters(talk: Chat) -> None:
    assert await talk.say("alice", '!note isn\'t "it  so"') == 'noted isn\'t "it  so"'
    assert await talk.say("alice", '!wait "two words') == "“words” is more than I expected. Usage: !wait NAME"
    assert await talk.say("alice", '!look "ford-3"') == "ford-3 is there."
    assert await talk.say("alice", '!look ""') == "There is no machine “”; !vm list names them."


async def test_a_private_answer_is_only_for_who_asked(talk: Chat) -> None:
    assert await talk.say("alice", "!praise bob") == "(to alice) bob is great."
    assert await talk.say("ann", "!praise bob") == "Only members and anyone but admins may praise."


async def test_a_plain_function_is_a_handler_too(talk: Chat, probe: Probe) -> None:
    assert await talk.say("zed", "!wave") == ""
    assert probe.runs == ["a guest waved"]


@pytest.mark.parametrize(
    "line",
    [
        "!look " + "x" * 100_000,
        "!look \ud800",
        "!look \x00\r\nQUIT",
        "!look {machine} %s {0}",
        "!look ';DROP TABLE members--",
        "!" + "x" * 100_000,
        "!note " + '"' * 5_000,
        "Eddie: " + "look " * 20_000,
        "!praise bob 99999999999999999999",
        "!praise bob ٣",
        "!yes 99999999999",
        "!no \ud800",
    ],
)
async def test_hostile_words_are_answered_shortly(talk: Chat, line: str) -> None:
    answer = await talk.say("alice", line)
    assert len(answer) < 300 or answer.startswith("noted ")
    assert talk.incidents.reported == []


async def test_what_is_written_down_of_a_very_long_line_is_cut(talk: Chat) -> None:
    await talk.say("alice", "!note " + "x" * 50_000)
    assert max(len(row) for row in await book(talk)) < 2_100


async def test_operators_have_the_last_word(tmp_path: Path, probe: Probe) -> None:
    overrides = {
        "note": Override(allow="admins", confirm=True),
        "few": Override(limit="1/1d", rooms=("net/#ops",)),
        "wipe": Override(confirm=False),
        "raze": Override(confirm=True),
    }
    async with Chat.open(tmp_path, [probe.plugin], overrides=overrides) as chat:
        assert await chat.say("alice", "!note x") == "Only admins may note."
        assert await chat.say("ann", "!note x") == "Really note? Say !yes within 60 s."
        assert await chat.say("ann", "!few") == "few is not for this room."
        assert await chat.say("ann", "!few", direct=True) == "done"
        ops = Place("net", "#ops")
        assert await chat.say("ann", "!few", place=ops) == "few may be used 1/1d; again in 86400 s."
        assert await chat.say("alice", "!wipe") == "ford-3 is wiped."
        assert await chat.say("alice", "!raze") == "Raze ford-3? Say !yes within 60 s."


async def test_can_explains_beforehand(talk: Chat, probe: Probe) -> None:
    assert await talk.say("bob", "!can alice wipe ford-3") == (
        "alice may wipe ford-3: the owner of the machine or admins may."
    )
    assert await talk.say("bob", "!can bob wipe ford-3") == (
        "bob may not wipe ford-3: only the owner of the machine or admins may."
    )
    assert await talk.say("bob", "!can bob wipe") == (
        "bob may wipe as far as this holds: the owner of the machine or admins."
    )
    assert await talk.say("bob", "!can ann praise bob") == (
        "ann may not praise bob: only members and anyone but admins may."
    )
    assert await talk.say("bob", "!can bob look nope") == (
        "bob may look as far as this holds: members. But: There is no machine “nope”; !vm list names them."
    )
    assert await talk.say("bob", "!can bob fly") == "I know no “fly”; !help tells what there is."
    await talk.store.write(
        lambda tx: tx.db.execute("UPDATE members SET standing = 'suspended' WHERE name = 'ann'")
    )
    assert await talk.say("bob", "!can ann note x") == "ann may not note x: only members may; ann is a guest."
    assert probe.runs == []


async def test_roles_are_read_anew_for_each_command(talk: Chat, probe: Probe) -> None:
    assert await talk.say("alice", "!note one") == "noted one"
    await talk.store.write(
        lambda tx: tx.db.execute("UPDATE members SET role = ? WHERE name = 'alice'", [Role.ADMIN])
    )
    assert await talk.say("alice", "!wipe ford-1") == "Wipe ford-1 of bob? Say !yes within 60 s."
    await talk.store.write(lambda tx: tx.db.execute("DELETE FROM identities WHERE subject = 'alice'"))
    assert (await talk.say("alice", "!note two")).startswith("Only members may note")
    assert probe.runs == ["alice: one"]
