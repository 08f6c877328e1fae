"""The whole ship, over real IRC, with machines that are played."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot import Machine, app, cli, config, launch, wiring
from bot.hypervisors.fake import FakeHypervisor
from bot.hypervisors.uml.runfolder import run_folder
from bot.runtime.clock import SystemClock
from tests.ship import ADMINS, BOT, TEAM, Harbour, harbour, running

OURS = Machine("ford-3", "ford", "alice")


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Harbour]:
    async with harbour(tmp_path) as made:
        yield made


@dataclass(slots=True)
class Voyage:
    """A bot in this process."""

    ship: app.Ship
    task: "asyncio.Task[None]"

    @property
    def hypervisor(self) -> FakeHypervisor:
        hypervisor = self.ship.fleet._hosts["ford"]
        assert isinstance(hypervisor, FakeHypervisor)
        return hypervisor


@asynccontextmanager
async def sailing(path: Path) -> AsyncIterator[Voyage]:
    async with AsyncExitStack() as stack:
        ship = await app.build(config.load(path), stack)
        task = asyncio.create_task(ship.sail())
        try:
            yield Voyage(ship, task)
        finally:
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def audit(folder: Path) -> list[dict[str, object]]:
    db = Database(folder / "state" / "shipboard.db")
    rows = list(db.table("audit").rows)
    db.close()
    return rows


# --- one voyage


async def test_a_member_is_known_and_an_outsider_under_their_nick_is_not(port: Harbour) -> None:
    port.write()
    port.enrol()
    alice, bob = await port.seated("alice", "bob")
    async with sailing(port.config):
        await bob.sees_the_bot()
        assert await alice.asks("!whoami", "^You are") == (
            "You are alice, member, full share; proven as irc-account home:alice; known as home:alice."
        )
        assert await alice.asks("!vm start", "ford-3") == "ford-3 is up on ford, sandbox fake."
        alice.person.rename("elsewhere")
        await bob.sees("alice", "is elsewhere now")
        thief = await port.seat("alice", proven=False)
        assert thief.person.nick == "alice"
        refusal = (
            "Only the owner of the machine or admins may vm stop, and to me you are a guest: first log in"
        )
        assert (await thief.asks("!vm stop ford-3", "^Only")).startswith(refusal)
        assert await thief.asks("!whoami", "guest") == (
            "You are a guest: home proves nothing about “alice”. "
            "Log in to your account there, then say !whoami again."
        )
        assert await alice.asks("!vm list mine", "^ford: ford-3 running")
        assert await alice.asks("Eddie: vm stop", "Say !yes") == "Stop ford-3 on ford? Say !yes within 60 s."
        thief.say("!yes")
        await thief.hears("Nothing waits for your yes")
        assert await alice.asks("!yes", "is down") == "ford-3 is down: it shut itself down (cad, 0.0 s)."


async def test_private_answers_never_reach_the_room(port: Harbour) -> None:
    port.write()
    port.enrol()
    alice, bob = await port.seated("alice", "bob")
    async with sailing(port.config):
        await bob.sees_the_bot()
        await alice.asks("!vm start", "ford-3 is up")
        alice.say("!vm run ford-3 echo the cake is a lie")
        assert await alice.told("cake") == "[ford-3] the cake is a lie"
        assert await alice.hears("direct message") == "alice: answered in a direct message."
        assert (await alice.asks("!link", "direct message")) == "alice: answered in a direct message."
        code = (await alice.told("!link [0-9a-z]")).rsplit(" ", 1)[-1]
        await bob.fence()
        assert [line for line in bob.lines() if "cake" in line or code in line] == []
        assert "direct message" in bob.lines()[-1]


async def test_long_answers_are_cut_for_the_room_and_go_on_directly(port: Harbour) -> None:
    port.write()
    port.enrol()
    ann, bob = await port.seated("ann", "bob")
    async with sailing(port.config):
        await ann.sees_the_bot()
        for _ in range(3):
            await ann.asks("!member list", "4 members")
        await ann.asks("!audit 5", "more lines sent to you directly")
        await ann.told("member list")
        await bob.fence()
        assert len([line for line in bob.lines() if " UTC " in line or "more lines" in line]) == 3


async def test_a_crash_is_told_to_its_owner_directly_and_to_the_room_in_one_line(port: Harbour) -> None:
    port.write()
    port.enrol()
    alice, bob = await port.seated("alice", "bob")
    async with sailing(port.config) as voyage:
        await bob.sees_the_bot()
        await alice.asks("!vm start", "ford-3 is up")
        voyage.hypervisor.crash("ford-3", "Kernel panic: VOTE 7 PASSED")
        text = "ford-3 CRASHED on ford: “Kernel panic: VOTE 7 PASSED”. !vm start ford-3"
        assert await bob.hears("CRASHED") == text
        assert await alice.told("CRASHED") == text
        assert await alice.told("Kernel panic") == "[ford-3] Kernel panic: VOTE 7 PASSED"
        assert "ford-3 crashed" in await bob.asks("!vm list", "^ford:")
        voyage.hypervisor.notify("ford-3", "A17 CRIT: run!")
        assert await alice.told("A17") == "[ford-3] A17 CRIT: run!"
        await bob.fence()
        assert [line for line in bob.lines() if "panic" in line or "A17" in line] == [text]


async def test_binds_made_at_the_shell_are_told_to_the_admins_and_the_member(port: Harbour) -> None:
    port.write()
    port.enrol()
    ann, bob = await port.seated("ann", "bob")
    async with sailing(port.config):
        await ann.sees_the_bot()
        await ann.hears("home:bob is now bob", to=ADMINS)
        await asyncio.to_thread(port.shell, "member", "identity", "bob", "home:bobby")
        assert "home:bobby is now bob (by shell:" in await ann.hears("home:bobby", to=ADMINS)
        assert "If that was not you" in await bob.told("home:bobby")


async def test_the_day_is_told_with_the_head_of_the_audit_book(port: Harbour) -> None:
    port.write()
    port.enrol()
    (ann,) = await port.seated("ann")
    async with sailing(port.config):
        line = await ann.hears(r"Audit book on .*\[chain [0-9a-f]{64}\]", to=ADMINS)
        head = line.rstrip("]").split()[-1]
        assert "whole" in await ann.asks(f"!audit verify {head[:12]}", "audit book")
        port.shell("verify", "--head", head)


async def test_the_server_dies_and_comes_back_and_nothing_is_lost(port: Harbour) -> None:
    port.write()
    port.enrol()
    alice, bob = await port.seated("alice", "bob")
    async with sailing(port.config) as voyage:
        await bob.sees_the_bot()
        await alice.asks("!vm start", "ford-3 is up")
        await alice.fence()
        port.ircd.stop_accepting()
        port.cable.cut()
        port.ircd.sever()
        voyage.hypervisor.crash("ford-3", "by SIGKILL")
        await port.ircd.start(port=port.port)
        alice, bob = await port.seated("alice", "bob")
        await port.cable.lay(port.port)
        await bob.sees_the_bot()
        assert "ford-3 CRASHED" in await bob.hears("CRASHED")
        assert "ford-3 CRASHED" in await alice.told("CRASHED")
        assert await bob.asks("!ping again", "^pong") == "pong again"
        await alice.fence()
        assert len([line for line in bob.lines() if "CRASHED" in line]) == 1
        assert len([line for line in alice.lines("alice") if "CRASHED" in line]) == 1


async def test_the_nick_that_was_taken_is_regained(port: Harbour) -> None:
    port.write()
    port.enrol()
    (bob,) = await port.seated("bob")
    thief = await port.seat(BOT, proven=False)
    async with sailing(port.config) as voyage:
        await bob.sees("Eddie_", f"is in {TEAM}")
        (status,) = voyage.ship.world.links.status()
        assert (status.up, status.nick) == (True, "Eddie_")
        await thief.leave()
        await bob.sees("Eddie_", "is Eddie now", seconds=50)
        await bob.asks("Eddie: ping", "^pong$")


async def test_everything_is_told_of_a_bot_without_networks(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[hosts.ford]\nhypervisor = "fake"\n')
    stop = asyncio.Event()
    task = asyncio.create_task(launch.sail(config.load(path), stop))
    stop.set()
    await asyncio.wait_for(task, 15)
    assert (tmp_path / "data" / "shipboard.db").exists()


# --- as a process


async def test_sigterm_ends_it_in_time_with_status_0(port: Harbour) -> None:
    port.write()
    port.enrol()
    alice, bob = await port.seated("alice", "bob")
    async with running(port.config) as bot:
        await bob.sees_the_bot()
        await alice.asks("!vm start", "ford-3 is up")
        status, said = await bot.terminate()
        assert status == 0
        assert "Traceback" not in said
        await bob.sees(BOT, "is gone")
    assert [row["kind"] for row in audit(port.folder) if row["command"] == "vm start"] == ["asked", "done"]


async def test_a_second_bot_on_the_same_folder_is_refused_in_one_line(port: Harbour) -> None:
    port.write()
    port.enrol()
    (bob,) = await port.seated("bob")
    async with running(port.config) as bot:
        await bob.sees_the_bot()
        async with running(port.config) as second:
            status, said = await second.ends()
        assert status == 2
        assert len(said.splitlines()) == 1
        assert str(bot.process.pid) in said
        await bob.asks("!ping still", "^pong still$")


async def test_killed_at_any_instant_it_keeps_roster_and_book(port: Harbour) -> None:
    port.write()
    port.enrol()
    alice, ann = await port.seated("alice", "ann")
    async with running(port.config) as bot:
        await ann.sees_the_bot()
        await ann.asks("!member add zaphod", "zaphod is a member")
        alice.say("!vm start")
        await bot.kill()
    assert any(row["command"] == "member add" for row in audit(port.folder))
    async with running(port.config) as bot:
        await ann.sees_the_bot()
        assert "zaphod" in await ann.asks("!member list", "members:")
        assert "is whole" in await ann.asks("!audit verify", "audit book")
        assert await ann.asks("!vm start ford-9", "ford-9 is up")
        assert (await bot.terminate())[0] == 0
    port.shell("verify")


async def test_a_plugin_that_spins_is_named_and_off_at_the_next_start(port: Harbour) -> None:
    spin = 'from bot import Plugin, anyone\nplugin = Plugin("spin")\n@plugin.command("spin", allow=anyone)\n'
    spin += 'async def spin() -> None:\n    """Spin."""\n    while True:\n        pass\n'
    (port.folder / "more").mkdir()
    (port.folder / "more" / "spin.py").write_text(spin)
    port.write(bot='plugin_folders = ["more"]')
    port.enrol()
    (ann,) = await port.seated("ann")
    async with running(port.config) as bot:
        await ann.sees_the_bot()
        ann.say("!spin")
        status, said = await bot.ends()
        assert status == 70
        assert "the loop has not turned for 8 s; spin" in said
        assert "spin.py" in said
    async with running(port.config) as bot:
        told = await ann.hears("Plugin spin is off", to=ADMINS)
        assert told.startswith("Plugin spin is off: it held up the bot for 8 s. Mend it, remove ")
        ann.say("Eddie: spin")
        await ann.hears("I know no “spin”")
        assert (await ann.asks("!plugin list", "^Plugins: ")).endswith(" Switched off: spin.")
        assert (await bot.terminate())[0] == 0


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_a_plugin_that_will_not_be_cancelled_does_not_keep_the_bot_from_its_end(port: Harbour) -> None:
    stick = 'import asyncio\nfrom bot import Plugin, Report, anyone\nplugin = Plugin("stick")\n'
    stick += '@plugin.command("stick", allow=anyone)\n'
    stick += 'async def stick(report: Report) -> None:\n    """Stick."""\n'
    stick += '    await report(0.5, "stuck")\n'
    stick += "    while True:\n        try:\n            await asyncio.sleep(3600)\n"
    stick += "        except asyncio.CancelledError:\n            pass\n"
    (port.folder / "more").mkdir()
    (port.folder / "more" / "stick.py").write_text(stick)
    port.write(bot='plugin_folders = ["more"]')
    alice, bob = await port.seated("alice", "bob")
    async with running(port.config) as bot:
        await alice.sees_the_bot()
        await bob.asks("!stick", "50% stuck")
        status, said = await bot.terminate()
    assert status == 0
    assert "the bot ends without it" in said


async def test_a_plugin_that_raises_or_waits_for_ever_is_contained(port: Harbour) -> None:
    bad = 'import asyncio\nfrom bot import Plugin, anyone\nplugin = Plugin("bad")\n'
    bad += '@plugin.command("fall", allow=anyone)\nasync def fall() -> None:\n    """Fall."""\n'
    bad += '    raise SystemExit("the secret of the host")\n'
    bad += '@plugin.command("hang", allow=anyone, timeout=1.0)\nasync def hang() -> None:\n    """Hang."""\n'
    bad += "    await asyncio.Event().wait()\n"
    (port.folder / "more").mkdir()
    (port.folder / "more" / "bad.py").write_text(bad)
    port.write(bot='plugin_folders = ["more"]')
    port.enrol()
    ann, bob = await port.seated("ann", "bob")
    async with sailing(port.config):
        await bob.sees_the_bot()
        number = (await bob.asks("!fall", "look up")).rstrip(".").split()[-1]
        assert f"Fault {number} in fall at home/#team" in await ann.hears(f"Fault {number}", to=ADMINS)
        await bob.asks("!hang", "look up")
        await bob.asks("!ping on", "^pong on$")
        assert [line for line in bob.lines() if "secret" in line] == []


DICE = """\
from bot import Plugin, anyone
plugin = Plugin("dice")
count = 0
@plugin.command("{name}", allow=anyone)
async def roll() -> str:
    \"\"\"Roll.\"\"\"
    global count
    count += 1
    return f"{name}: {{count}}"
"""


async def test_a_plugin_is_reloaded_while_the_others_go_on(port: Harbour) -> None:
    more = port.folder / "more"
    more.mkdir()
    (more / "dice.py").write_text(DICE.format(name="roll"))
    (more / "coin.py").write_text(DICE.format(name="toss").replace("dice", "coin"))
    port.write(bot='plugin_folders = ["more"]')
    port.enrol()
    ann, bob = await port.seated("ann", "bob")
    async with sailing(port.config) as voyage:
        await ann.sees_the_bot()
        assert await bob.asks("!roll", "^roll") == "roll: 1"
        assert await bob.asks("!toss", "^toss") == "toss: 1"
        (more / "dice.py").write_text(DICE.format(name="cast"))
        assert await ann.asks("!plugin reload dice", "reloaded") == (
            "Plugin dice is reloaded. New: !cast. Gone: !roll."
        )
        assert await bob.asks("!cast", "^cast") == "cast: 1"
        assert (await bob.asks("Eddie: roll", "I know no")).startswith("I know no “roll”")
        assert await bob.asks("!toss", "^toss") == "toss: 2"
        (more / "dice.py").write_text(DICE.format(name="drop") + "the new one is broken\n")
        ann.say("!plugin reload dice")
        why = await ann.hears("goes on")
        assert why.startswith(
            "Not reloaded, the old one goes on: plugin dice: cannot be imported: SyntaxError"
        )
        assert await bob.asks("!cast", "^cast") == "cast: 2"
        assert "dice" in await ann.asks("!plugin list", "^Plugins: ")
        assert voyage.ship.watchdog.plugins[more / "dice.py"] == "dice"
    rows = [(row["kind"], row["words"]) for row in audit(port.folder) if row["command"] == "plugin reload"]
    assert rows == [("asked", "dice"), ("done", "dice"), ("asked", "dice"), ("refused", "dice")]


# --- what is wrong is one line, and status 2


def wrong_host(path: Path) -> None:
    _change(path, 'hypervisor = "fake"', 'hypervisor = "libvirt"')


def wrong_network(path: Path) -> None:
    path.write_text(path.read_text() + '[networks.jabber]\nkind = "xmpp"\njid = "eddie@ford.example"\n')


def wrong_key(path: Path) -> None:
    _change(path, "[bot]", '[bot]\nnikc = "E"')


def wrong_plugin(path: Path) -> None:
    _change(path, "[bot]", '[bot]\nplugins = ["deepthought"]')


def wrong_folder(path: Path) -> None:
    _change(path, "[bot]", '[bot]\nplugin_folders = ["nowhere"]')


def wrong_command(path: Path) -> None:
    path.write_text(path.read_text() + '[commands."vm fly"]\nlimit = "2/1d"\n')


def wrong_table(path: Path) -> None:
    path.write_text(path.read_text() + "[plugins.vms]\nsize = 3\n")


def wrong_secret(path: Path) -> None:
    (path.parent / "password").unlink()


def wrong_state(path: Path) -> None:
    (path.parent / "state").write_text("not a folder")


def wrong_database(path: Path) -> None:
    (path.parent / "state").mkdir()
    (path.parent / "state" / "shipboard.db").write_text("not a database" * 100)


def no_config(path: Path) -> None:
    path.unlink()


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


WRONG: dict[Callable[[Path], None], str] = {
    wrong_host: "hosts.ford.hypervisor: libvirt is not in this version",
    wrong_network: "networks.jabber.password_file: missing: nobody gets into Jabber",
    wrong_key: "bot.nikc: unknown key; did you mean nick?",
    wrong_plugin: "bot.plugins: there is no plugin deepthought; ours are alerts, audit, bandwidth, help",
    wrong_folder: "bot.plugin_folders: ",
    wrong_command: 'commands."vm fly": no loaded plugin has this command',
    wrong_table: "plugins.vms: plugin vms takes no settings; remove the table",
    wrong_secret: "networks.home.password_file: ",
    wrong_state: "state",
    wrong_database: "shipboard.db: ",
    no_config: "config.toml",
}


@pytest.mark.parametrize("verb", ["run", "check"])
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_what_is_wrong_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: Callable[[Path], None], verb: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[bot]\nstate = "state"\n[networks.home]\nkind = "irc"\nhost = "127.0.0.1"\nport = 1\ntls = false\n'
        'account = "eddie"\npassword_file = "password"\n[hosts.ford]\nhypervisor = "fake"\n'
    )
    (tmp_path / "password").write_text("x")
    wrong(path)
    assert cli.main([verb, "--config", str(path)]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert WRONG[wrong] in err


def test_what_is_right_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[hosts.ford]\nhypervisor = "fake"\n')
    assert cli.main(["check", "--config", str(path)]) == 0
    assert "all is well" in capsys.readouterr().out


def test_a_uml_host_is_made_where_the_config_says(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[hosts.ford]\nhypervisor = "uml"\nfolder = "disks"\n[hosts.zaphod]\nhypervisor = "uml"\n'
    )
    fleet = wiring.fleet(config.load(path), SystemClock())
    assert fleet.hosts == ("ford", "zaphod")
    assert (tmp_path / "disks").is_dir()
    assert (tmp_path / "data" / "zaphod").is_dir()
    for folder in (tmp_path / "disks", tmp_path / "data" / "zaphod"):
        run_folder(folder).rmdir()


def test_the_program_is_told_as_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    loaded, clock = config.load(path), SystemClock()
    monkeypatch.setattr("sys.argv", ["/opt/shipboard/bin/shipboard", "run"])
    assert wiring.about(loaded, clock).program == "/opt/shipboard/bin/shipboard"
    monkeypatch.setattr("sys.argv", ["/usr/lib/python3/bot/cli/__main__.py"])
    assert wiring.about(loaded, clock).program == "shipboard"
    assert wiring.about(loaded, clock).config == str(path)
