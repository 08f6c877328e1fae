import pytest

from bot import Identity, IdentityKind, Place
from bot.testing import Chat
from tests.plugins.conftest import HOSTILE, forget


async def test_help_is_short_and_hides_what_one_may_not_do(chat: Chat) -> None:
    guest = await chat.say("eve", "!help", proven=False)
    member = await chat.say("alice", "!help")
    admin = await chat.say("ann", "!help")
    assert guest == "!about help link no ping policy status whoami yes · !help COMMAND tells more."
    assert "!vm list|show|start|stop|reboot|pause|resume|kill|console|run" in member
    assert "audit" not in member
    assert "remove" not in member
    assert "!audit verify" in admin
    assert all(len(answer.splitlines()) <= 2 for answer in (guest, member, admin))


@pytest.mark.parametrize("command", ["vm stop", "!vm stop", "VM STOP", "vm stop ford-3", "!VM Stop now"])
async def test_help_tells_usage_who_may_and_an_example(chat: Chat, command: str) -> None:
    assert (await chat.say("alice", f"!help {command}")).splitlines() == [
        "!vm stop MACHINE: Take a machine down as gently as it lets itself be. Asks first.",
        "Who: the owner of the machine or admins. Example: !vm stop ford-3",
    ]


async def test_help_of_a_first_word_lists_the_usages_that_one_may_have(chat: Chat) -> None:
    answer = await chat.say("alice", "!help member")
    assert answer == "!member list · !member show MEMBER"
    assert "!member remove MEMBER" in await chat.say("ann", "!help member")


async def test_help_of_what_is_limited_says_how_often(chat: Chat) -> None:
    assert "At most 5/10m." in await chat.say("alice", "!help link")


@pytest.mark.parametrize("sign", ["!", "!!", " ! ", '"!"'])
async def test_help_of_nothing_but_the_prefix_is_answered(chat: Chat, sign: str) -> None:
    assert (await chat.say("alice", f"!help {sign}")).startswith(("!about", "I know no"))
    assert chat.incidents.reported == []


async def test_help_of_a_slip_names_the_nearest(chat: Chat) -> None:
    assert await chat.say("alice", "!help vm strat") == "I know no “vm strat”; did you mean !vm start?"
    assert await chat.say("alice", "!help zaphod") == "I know no “zaphod”; see !help."
    assert "audit" not in await chat.say("alice", "!help adit")


async def test_whoami_tells_proof_role_share_and_identities(chat: Chat) -> None:
    assert await chat.say("alice", "!whoami") == (
        "You are alice, member, full share; proven as irc-account net:alice; known as net:alice."
    )
    assert "ann, admin, full share" in await chat.say("ann", "!whoami")
    assert "bob, member, half share" in await chat.say("bob", "!whoami")


async def test_whoami_of_a_guest_tells_how_to_become_known(chat: Chat) -> None:
    assert await chat.say("alice", "!whoami", proven=False) == (
        "You are a guest: net proves nothing about “alice”. "
        "Log in to your account there, then say !whoami again."
    )
    assert await chat.say("eve", "!whoami") == (
        "You are a guest, proven as irc-account net:eve. "
        "If you are known elsewhere, say !link there for a code."
    )


async def test_whoami_of_a_suspended_member_says_so(chat: Chat) -> None:
    await chat.say("ann", "!member set alice standing suspended")
    await chat.say("ann", "!yes")
    assert (await chat.say("alice", "!whoami")).startswith(
        "You are alice, member, full share, suspended: a guest until that ends;"
    )
    assert await chat.say("alice", "!vm list") == "Only members may vm list; you are suspended."


async def test_whoami_in_a_fresh_bot_prints_the_shell_command_of_the_first_admin(chat: Chat) -> None:
    await forget(chat)
    assert await chat.say("zaphod", "!whoami") == (
        "You are a guest, proven as irc-account net:zaphod. There is no admin yet; on the host's shell "
        "you become one by: shipboard member add zaphod --role admin --share full --identity net:zaphod"
    )


async def test_the_command_of_the_first_admin_is_safe_to_paste_whatever_the_account(chat: Chat) -> None:
    await forget(chat)
    answer = await chat.say("x;rm -rf ~", "!whoami")
    assert answer.endswith(
        "shipboard member add xrm-rf --role admin --share full --identity 'net:x;rm -rf ~'"
    )
    quoted = await chat.say("a'b$(reboot)", "!whoami")
    assert quoted.endswith(
        """member add abreboot --role admin --share full --identity 'net:a'"'"'b$(reboot)'"""
    )
    assert (await chat.say("1234", "!whoami")).endswith(
        "member add NAME --role admin --share full --identity net:1234"
    )


async def test_ping_is_open_to_everybody(chat: Chat) -> None:
    assert await chat.say("eve", "!ping", proven=False) == "pong"
    assert await chat.say("eve", "!ping  two  words ", proven=False) == "pong two  words"
    assert await chat.say("eve", f"!ping {'x' * 400}", proven=False) == f"pong {'x' * 200}"
    for word in HOSTILE:
        assert (await chat.say("eve", f"!ping {word}", proven=False)).startswith("pong")


async def test_about_and_status_are_one_line_each(chat: Chat) -> None:
    await chat.clock.advance(7380)
    assert await chat.say("eve", "!about", proven=False) == (
        "Eddie, shipboard 0.1.0, up 2 h 3 min; net up as Eddie, account eddie."
    )
    assert await chat.say("eve", "!status", proven=False) == (
        "hosts: 1; machines: 0 of 3 up; networks: 1 of 1 up."
    )


async def test_status_names_what_is_in_trouble(chat: Chat) -> None:
    await chat.say("alice", "!vm start")
    await chat.say("bob", "!vm start")
    chat.hypervisor.crash("ford-3", "panic")
    chat.hypervisor.hang("ford-1")
    assert await chat.say("bob", "!status") == (
        "hosts: 1; machines: 1 of 3 up; ford-1 unresponsive; ford-3 crashed; networks: 1 of 1 up."
    )


async def test_the_bot_answers_to_its_name_and_directly(chat: Chat) -> None:
    assert await chat.say("eve", "Eddie: ping", proven=False) == "pong"
    assert await chat.say("eve", "eddie, !ping", proven=False) == "pong"
    assert await chat.say("eve", "ping", direct=True, proven=False) == "pong"
    assert await chat.say("eve", "ping", proven=False) == ""
    assert await chat.say("eve", "Eddie:", proven=False) == "Yes? !help tells what you may ask."
    assert await chat.say("eve", "!wibble", proven=False) == ""
    assert (
        await chat.say("eve", "Eddie: wibble", proven=False)
        == "I know no “wibble”; !help tells what there is."
    )


async def test_a_jabber_address_can_be_the_first_admin(chat: Chat) -> None:
    await forget(chat)
    identity = Identity("jabber", IdentityKind.XMPP_JID, "Zaphod@ford.example")
    place = Place("jabber", "ford@rooms.ford.example")
    reply = await chat.hear("Zaphod", "!whoami", place=place, identity=identity)
    assert reply.lines[0].endswith(
        "member add zaphod --role admin --share full --identity jabber:Zaphod@ford.example"
    )
