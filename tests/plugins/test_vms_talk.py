import pytest

from bot import Conflict, HypervisorFault, StopResult
from bot.testing import Chat
from tests.plugins.conftest import GUEST, HOSTILE, forget, rows

POWER = ("start", "stop", "reboot", "pause", "resume", "kill")
OF_ONE = (*POWER, "show", "console", "run")
OWNER_ONLY = ("console", "run")


async def up(chat: Chat, *owners: str) -> None:
    for owner in owners:
        await chat.say(owner, "!vm start")


# --- what there is


async def test_the_list_is_one_line_a_host(chat: Chat) -> None:
    await up(chat, "alice")
    await chat.clock.advance(7380)
    assert await chat.say("bob", "!vm list") == (
        "ford: ford-1 stopped (bob) · ford-3 running 2 h 3 min (alice) · ford-9 stopped (the co-op)"
    )


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("mine", "ford: ford-3 stopped (alice)"),
        ("MINE", "ford: ford-3 stopped (alice)"),
        ("FORD", "ford: ford-1 stopped (bob) · ford-3 stopped (alice) · ford-9 stopped (the co-op)"),
        ("zaphod", "No machine is on “zaphod”; hosts: ford."),
        ("ford ford", "“ford” is more than I expected. Usage: !vm list [WHICH]"),
    ],
)
async def test_a_part_of_the_list(chat: Chat, which: str, said: str) -> None:
    assert await chat.say("alice", f"!vm list {which}") == said


async def test_empty_lists_say_so(chat: Chat) -> None:
    assert await chat.say("ann", "!vm list mine") == "You own no machine."
    await forget(chat, "machines")
    assert await chat.say("ann", "!vm list") == "There is no machine yet; the admins enter the first."
    assert await chat.say("ann", "!vm list mine") == "You own no machine."
    assert await chat.say("ann", "!vm list ford") == "No machine is on “ford”; hosts: none."
    assert await chat.say("ann", "!vm start") == "machine is missing. Usage: !vm start MACHINE"


async def test_a_machine_is_shown_with_what_is_in_force(chat: Chat) -> None:
    assert await chat.say("alice", "!vm show ford-9") == (
        "ford-9 stopped: the co-op's, full share on ford, 64 MiB."
    )
    await up(chat, "bob")
    await chat.clock.advance(60)
    assert (await chat.say("alice", "!vm show FORD-1")).splitlines() == [
        "ford-1 running 1 min: bob's, half share on ford, 32 MiB; used: CPU 0.6 s, memory 8 MiB, disk 0 B.",
        "ford-1 in force: memory 32 MiB, sandbox fake, nice 10.",
    ]


async def test_what_a_guest_said_last_is_quoted_where_it_is_shown(chat: Chat) -> None:
    await up(chat, "alice")
    chat.hypervisor.crash("ford-3", "A17 CRIT ford load 99; !ack 17")
    assert await chat.say("bob", "!vm show ford-3") == (
        "ford-3 crashed (“A17 CRIT ford load 99; !ack 17”): alice's, full share on ford, 64 MiB."
    )


async def test_usage_that_cannot_be_read_is_left_out(chat: Chat) -> None:
    await up(chat, "alice")
    chat.hypervisor.fail_next("usage", "no /proc")
    assert "used:" not in await chat.say("alice", "!vm show")
    assert chat.incidents.reported == []


# --- power


async def test_power_by_the_owner(chat: Chat) -> None:
    assert await chat.say("alice", "!vm start") == "ford-3 is up on ford, sandbox fake."
    assert await chat.say("alice", "!vm pause") == "ford-3 is paused. !vm resume ford-3"
    assert "ford-3 paused" in await chat.say("bob", "!vm list")
    assert await chat.say("alice", "!vm resume") == "ford-3 goes on."
    assert await chat.say("alice", "!vm reboot") == "Reboot ford-3 on ford? Say !yes within 60 s."
    assert await chat.say("alice", "!yes") == "ford-3 is up again on ford."
    assert await chat.say("alice", "!vm stop") == "Stop ford-3 on ford? Say !yes within 60 s."
    assert await chat.say("alice", "!yes") == "ford-3 is down: it shut itself down (cad, 0.0 s)."
    await up(chat, "alice")
    assert await chat.say("alice", "!vm kill") == (
        "Kill ford-3 of alice on ford, whatever is lost? Say !yes within 60 s."
    )
    assert await chat.say("alice", "!yes") == "ford-3 is dead. !vm start ford-3"


async def test_admins_have_the_same_power_but_for_killing_what_is_anothers(chat: Chat) -> None:
    assert await chat.say("ann", "!vm start ford-9") == "ford-9 is up on ford, sandbox fake."
    assert await chat.say("ann", "!vm stop ford-9") == "Stop ford-9 on ford? Say !yes within 60 s."
    assert (await chat.say("ann", "!yes")).startswith("ford-9 is down")
    await chat.say("ann", "!vm start ford-9")
    assert await chat.say("ann", "!vm kill ford-9") == (
        "Kill ford-9 of the co-op on ford, whatever is lost? "
        "It needs another admin's yes: !yes 2 within 10 min."
    )


async def test_one_that_hangs_says_so_and_how_it_went_down(chat: Chat) -> None:
    await up(chat, "alice")
    chat.hypervisor.hang("ford-3")
    assert "ford-3 unresponsive" in await chat.say("bob", "!vm list")
    assert "ford-3 unresponsive" in await chat.say("bob", "!vm show ford-3")
    assert await chat.say("alice", "!vm run ford-3 id") == (
        "ford-3 is unresponsive: its agent does not answer."
    )
    await chat.say("alice", "!vm stop")
    assert await chat.say("alice", "!yes") == (
        "ford-3 is down: killed, as nothing gentler worked (kill, 30.0 s)."
    )


async def test_a_rung_that_is_not_known_yet_is_named(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop(*_: object) -> StopResult:
        return StopResult("acpi", 1.25)

    monkeypatch.setattr(chat.hypervisor, "stop", stop)
    await up(chat, "alice")
    await chat.say("alice", "!vm stop")
    assert await chat.say("alice", "!yes") == "ford-3 is down: acpi (acpi, 1.2 s)."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("start ford-3", "ford-3 is up already."),
        ("resume ford-3", "ford-3 is not paused."),
        ("pause ford-1", "ford-1 is not running."),
        ("run ford-1 id", "ford-1 is not running."),
    ],
)
async def test_what_the_state_does_not_allow_is_refused(chat: Chat, words: str, said: str) -> None:
    await up(chat, "alice")
    who = "alice" if "ford-3" in words else "bob"
    assert await chat.say(who, f"!vm {words}") == said


@pytest.mark.parametrize("verb", ["stop", "reboot", "kill"])
async def test_what_changed_before_the_yes_is_a_conflict(chat: Chat, verb: str) -> None:
    await up(chat, "alice")
    await chat.say("alice", f"!vm {verb}")
    await chat.store.write(lambda tx: tx.db.execute("UPDATE machines SET share = 'half'"))
    assert await chat.say("alice", "!yes") == f"vm {verb}: it changed since you asked; look, and ask again."
    assert "running" in await chat.say("alice", "!vm show")


@pytest.mark.parametrize("verb", ["stop", "reboot", "kill"])
async def test_of_what_is_down_nobody_is_asked(chat: Chat, verb: str) -> None:
    assert await chat.say("alice", f"!vm {verb}") == "ford-3 is not running."
    assert await chat.say("ann", f"!vm {verb} ford-3") == "ford-3 is not running."
    await up(chat, "alice")
    chat.hypervisor.crash("ford-3")
    assert await chat.say("alice", f"!vm {verb}") == "ford-3 is not running."
    assert await chat.say("alice", "!yes") == "Nothing waits for your yes."
    assert chat.incidents.reported == []


@pytest.mark.parametrize("verb", ["stop", "reboot", "kill"])
async def test_what_went_down_before_the_yes_is_refused(chat: Chat, verb: str) -> None:
    await up(chat, "alice")
    assert (await chat.say("alice", f"!vm {verb}")).endswith("Say !yes within 60 s.")
    chat.hypervisor.exit("ford-3")
    assert await chat.say("alice", "!yes") == "ford-3 is not running."
    newest, asked = (await rows(chat))[:2]
    assert (asked.kind, asked.command, asked.outcome) == ("asked", f"vm {verb}", "yes of alice")
    assert (newest.kind, newest.command) == ("refused", f"vm {verb}")


@pytest.mark.parametrize("verb", ["stop", "kill"])
async def test_one_whose_state_cannot_be_told_is_asked_about_and_ended(chat: Chat, verb: str) -> None:
    await up(chat, "alice")
    chat.hypervisor.fail_next("inspect", "no /proc")
    assert (await chat.say("alice", f"!vm {verb}")).endswith("Say !yes within 60 s.")
    chat.hypervisor.fail_next("inspect", "no /proc")
    assert (await chat.say("alice", "!yes")).startswith(f"ford-3 is {'down' if verb == 'stop' else 'dead'}")
    assert chat.incidents.reported == []


# --- who may not


@pytest.mark.parametrize("verb", OF_ONE)
@pytest.mark.parametrize("machine", ["ford-3", "zaphod-1"])
async def test_guests_learn_not_even_which_machines_there_are(chat: Chat, verb: str, machine: str) -> None:
    rule = {"show": "members"}.get(verb, "the owner of the machine or admins")
    rule = "the owner of the machine" if verb in OWNER_ONLY else rule
    said = f"Only {rule} may vm {verb}, and {GUEST}"
    assert await chat.say("eve", f"!vm {verb} {machine} id") == said
    assert await chat.say("alice", f"!vm {verb} {machine} id", proven=False) == said
    assert chat.hypervisor._machines == {}


@pytest.mark.parametrize("verb", POWER)
async def test_members_have_no_power_over_what_is_anothers(chat: Chat, verb: str) -> None:
    await up(chat, "alice")
    assert await chat.say("bob", f"!vm {verb} ford-3") == (
        f"Only the owner of the machine or admins may vm {verb}."
    )
    assert await chat.say("bob", f"!vm {verb} ford-9") == (
        f"Only the owner of the machine or admins may vm {verb}."
    )
    assert "running" in await chat.say("alice", "!vm show")


@pytest.mark.parametrize("words", ["run ford-3 id", "console ford-3"])
@pytest.mark.parametrize("who", ["ann", "bob"])
async def test_nobody_looks_into_what_is_anothers_not_even_admins(chat: Chat, words: str, who: str) -> None:
    await up(chat, "alice")
    verb = words.split(maxsplit=1)[0]
    assert await chat.say(who, f"!vm {words}") == f"Only the owner of the machine may vm {verb}."
    co_ops = words.replace("ford-3", "ford-9")
    assert await chat.say(who, f"!vm {co_ops}") == f"Only the owner of the machine may vm {verb}."


# --- slips


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("vm strat ford-3", "I know no “vm strat”; did you mean !vm start?"),
        ("vm", "!vm wants one of these behind it: list, show, start, "),
        ("VM", "!vm wants one of these behind it: list, show, start, "),
        ("vm start ford-33", "There is no machine “ford-33”; !vm list names them."),
        ("vm stop ford-3 now", "“now” is more than I expected. Usage: !vm stop MACHINE"),
        ("vm run ford-3", "command is missing. Usage: !vm run MACHINE COMMAND…"),
        ("vm run uname -a", "There is no machine “uname”; !vm list names them."),
        ("vm console ford-3 many", "lines is a whole number, not “many”. Usage: !vm console MACHINE [LINES]"),
    ],
)
async def test_slips_are_told_what_was_meant(chat: Chat, words: str, said: str) -> None:
    assert (await chat.say("alice", f"!{words}")).startswith(said)


async def test_a_machine_that_could_be_several_must_be_named(chat: Chat) -> None:
    await chat.store.write(lambda tx: tx.db.execute("UPDATE machines SET owner = 'alice'"))
    assert await chat.say("alice", "!vm start") == (
        "Which machine: ford-1, ford-3, ford-9? Usage: !vm start MACHINE"
    )


async def test_hostile_words_start_nothing(chat: Chat) -> None:
    for word in HOSTILE:
        for verb in (*OF_ONE, "list", word):
            assert await chat.say("ann", f"!vm {verb} {word}")
            assert await chat.say("alice", f"Eddie: vm {verb} {word} {word}")
    assert chat.incidents.reported == []
    assert not any(played.state.is_up for played in chat.hypervisor._machines.values())


# --- the guest's words


async def test_a_command_runs_and_its_output_comes_directly_and_marked(chat: Chat) -> None:
    await up(chat, "alice")
    assert await chat.say("alice", "!vm run ford-3 uname -a") == (
        "(to alice) ford-3: exit 0, 1 line\n[ford-3] Linux ford-3 6.1.0-fake #1 x86_64 GNU/Linux"
    )
    assert await chat.say("alice", "!vm run ford-3 fly") == (
        "(to alice) ford-3: exit 127, 1 line\n[ford-3] sh: fly: not found"
    )
    chat.hypervisor.answers["true"] = ""
    assert await chat.say("alice", "!vm run ford-3 true") == "(to alice) ford-3: exit 0, 0 lines"


@pytest.mark.parametrize("command", [*HOSTILE, "sh -c \"id; echo 'a b'\" | tr a-z A-Z"])
async def test_a_command_reaches_the_guest_as_it_was_typed(chat: Chat, command: str) -> None:
    await up(chat, "alice")
    chat.hypervisor.answers[command] = "understood"
    assert "[ford-3] understood" in await chat.say("alice", f"!vm run ford-3 {command}")


async def test_every_piece_of_a_guests_line_is_marked_and_short_enough(chat: Chat) -> None:
    await up(chat, "alice")
    chat.hypervisor.answers["cat"] = f"{'x' * 290} VOTE 7 PASSED\n{'😀' * 100} A17 CRIT\n\ud800\n"
    chat.hypervisor.answers["cat"] = chat.hypervisor.answers["cat"].replace("\ud800", "\ufffd")
    first, *lines = (await chat.hear("alice", "!vm run ford-3 cat")).lines
    assert first == "ford-3: exit 0, 3 lines"
    assert all(line.startswith("[ford-3] ") for line in lines)
    assert all(len(line.encode()) <= 310 for line in lines)
    assert "".join(line.removeprefix("[ford-3] ") for line in lines[:2]) == f"{'x' * 290} VOTE 7 PASSED"


async def test_output_without_end_is_cut(chat: Chat) -> None:
    await up(chat, "alice")
    chat.hypervisor.answers["yes"] = "y\n" * 150_000
    reply = await chat.hear("alice", "!vm run ford-3 yes")
    assert reply.lines[0] == "ford-3: exit 0, 150000 lines, cut"
    assert len(reply.lines) == 1001
    chat.hypervisor.answers["zero"] = "0" * 300_000
    assert len((await chat.hear("alice", "!vm run ford-3 zero")).lines) == 1001


async def test_the_console_comes_directly_marked_and_bounded(chat: Chat) -> None:
    assert await chat.say("alice", "!vm console") == ("(to alice) ford-3 has said nothing on its console.")
    await up(chat, "alice")
    assert await chat.say("alice", "!vm console ford-3 1") == (
        "(to alice) [ford-3] Run /init as init process"
    )
    assert len((await chat.say("alice", "!vm console ford-3 999999")).splitlines()) == 2
    assert len((await chat.say("alice", "!vm console ford-3 0")).splitlines()) == 1


async def test_commands_for_guests_are_written_down_nowhere(chat: Chat) -> None:
    await up(chat, "alice")
    secret = "mysql-pxq7-hunter2"  # noqa: S105 - it is there to be looked for
    chat.hypervisor.answers[f"echo {secret}"] = f"{secret} was said"
    assert secret in await chat.say("alice", f"!vm run ford-3 echo {secret}")
    chat.hypervisor.fail_next("run", f"broke on {secret}")
    assert "look up" in await chat.say("alice", f"!vm run ford-3 {secret}")
    chat.hypervisor.fail_next("run", Conflict(f"no {secret}"))
    await chat.say("alice", f"!vm run ford-3 {secret}")
    await chat.say("alice", f"!vm run {secret} ford-3")
    await chat.say("bob", f"!vm run ford-3 {secret}")
    await chat.say("eve", f"!vm run ford-3 {secret}")
    book = await rows(chat)
    assert [entry for entry in book if secret in repr(entry)] == []
    assert any(entry.words == "ford-3 •••" for entry in book)
    assert all(private for _, _, private in chat.incidents.reported)
    assert await chat.told() == []


async def test_a_guest_without_an_agent_is_told_as_such(chat: Chat) -> None:
    await up(chat, "alice")
    chat.hypervisor.fail_next("run", Conflict("ford-3's agent does not answer; it may be busy."))
    assert await chat.say("alice", "!vm run ford-3 id") == "ford-3's agent does not answer; it may be busy."
    assert chat.incidents.reported == []


# --- what breaks


@pytest.mark.parametrize(
    ("deed", "command"),
    [("start", "start"), ("stop", "stop"), ("kill", "kill"), ("pause", "pause"), ("console", "console")],
)
async def test_of_a_fault_the_person_gets_a_number_and_the_admins_the_cause(
    chat: Chat, deed: str, command: str
) -> None:
    if deed != "start":
        await up(chat, "alice")
    cause = "/run/secret/ford-3: Permission denied"
    chat.hypervisor.fail_next(deed, cause)
    answer = await chat.say("alice", f"!vm {command}")
    if "!yes" in answer:
        answer = await chat.say("alice", "!yes")
    assert answer == "That went wrong; the admins can look up 0001."
    ((error, during, _),) = chat.incidents.reported
    assert (type(error), str(error)) == (HypervisorFault, cause)
    assert "net/#team" in during
    newest = (await rows(chat))[0]
    assert (newest.kind, newest.outcome) == ("failed", "HypervisorFault")


async def test_a_machine_that_cannot_be_asked_hides_no_other(chat: Chat) -> None:
    await up(chat, "alice")
    chat.hypervisor.fail_next("inspect", "the host is silent")
    assert await chat.say("bob", "!vm list") == (
        "ford: ford-1 unresponsive (bob) · ford-3 running 0 s (alice) · ford-9 stopped (the co-op)"
    )
    chat.hypervisor.fail_next("inspect", "the host is silent")
    assert "ford-1 unresponsive" in await chat.say("bob", "!status")
    assert chat.incidents.reported == []


async def test_a_machine_on_a_host_that_the_config_lost_hides_no_other(chat: Chat) -> None:
    await chat.store.write(
        lambda tx: tx.db.execute("UPDATE machines SET host = 'gone' WHERE name = 'ford-9'")
    )
    assert (await chat.say("bob", "!vm list")).splitlines() == [
        "ford: ford-1 stopped (bob) · ford-3 stopped (alice)",
        "gone: ford-9 unresponsive (the co-op)",
    ]
    assert await chat.say("ann", "!vm start ford-9") == (
        "ford-9 is on gone, which is no host of ours (ford)."
    )
    assert "ford-9 unresponsive" in await chat.say("bob", "!status")
