"""Setting the demo up: what is tried, what is said where it does not work, and that it begins anew."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot import config as configs
from bot.config import Config
from bot.demo import coop as coops
from bot.demo import kernel
from bot.demo import stage as stages
from bot.demo.client import Person, Said
from bot.demo.coop import Coop
from bot.demo.ircd import Ircd
from bot.demo.stage import Stage, stage
from bot.errors import ConfigError, Conflict, Fault, HypervisorFault, TransportFault
from bot.hypervisors.uml import sandbox
from bot.runtime.clock import SystemClock


def speller(folder: Path) -> Callable[[Mapping[str, str]], Config]:
    text = coops.config
    return lambda host: configs.parse(text(coops.load(), 6667, folder / "p", host), folder / "config.toml")


@pytest.fixture
def boots(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A host on which a guest boots; the sandboxes that were tried."""
    tried: list[str] = []

    async def provide(*_: object) -> Path:
        return Path("/somewhere/linux.uml")

    async def probe(coop: Coop, config: Config) -> str:
        tried.append(config.hosts[coop.host].sandbox)
        return f"{coop.booted} has booted"

    monkeypatch.setattr(kernel, "provide", provide)
    monkeypatch.setattr(stages, "_probe", probe)
    return tried


async def test_a_guest_that_boots_is_a_real_host(
    tmp_path: Path, boots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "_sandbox", lambda: ("auto", ()))
    guests = await stages._choose(coops.load(), speller(tmp_path), tmp_path, print)
    assert guests.host == {"hypervisor": "uml", "sandbox": "auto"}
    assert guests.text == "ford-2 has booted, kernel /somewhere/linux.uml"
    assert (guests.warnings, boots) == ((), ["auto"])


async def test_a_host_without_any_sandbox_is_told_so_loudly(
    tmp_path: Path, boots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_fits(*_: object) -> None:
        raise Conflict("Machines here would have no sandbox")

    monkeypatch.setattr(sandbox, "choose", none_fits)
    guests = await stages._choose(coops.load(), speller(tmp_path), tmp_path, print)
    assert guests.host == {"hypervisor": "uml", "sandbox": "none"}
    assert guests.warnings[0].startswith("NO SANDBOX: ")
    assert boots == ["none"]


async def test_a_guest_that_does_not_boot_is_played_and_the_reason_is_told_in_a_line(
    tmp_path: Path, boots: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def panic(*_: object) -> str:
        raise HypervisorFault("ford-2 did not come up: kernel panic\nlast line\nof its console")

    monkeypatch.setattr(stages, "_probe", panic)
    guests = await stages._choose(coops.load(), speller(tmp_path), tmp_path, print)
    assert guests.host == {"hypervisor": "fake"}
    assert guests.warnings[0].startswith("NOT REAL: ")
    assert guests.warnings[0].endswith("ford-2 did not come up: kernel panic")
    assert boots == []


async def test_the_probe_boots_the_machine_that_is_up_at_first(tmp_path: Path) -> None:
    config = speller(tmp_path)({"hypervisor": "fake"})
    assert (await stages._probe(coops.load(), config)).endswith("sandbox fake")
    left = tmp_path / "ford"
    left.mkdir()
    await stages._probe(coops.load(), config)
    assert not left.exists()


async def test_a_second_demo_in_the_same_folder_is_refused_and_hurts_nothing(
    played: Stage, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="in use by process"):
        async with stage(coops.load(), played.folder, tmp_path / "cache", print):
            pass
    alice = await played.seat("alice")
    alice.say("#ford", "!member list")
    async with asyncio.timeout(60):
        async for event in alice.events():
            if isinstance(event, Said) and event.text.startswith("5 members"):
                break


async def test_each_demo_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "PROCESSORS", frozenset())
    folder, cache = tmp_path / "demo", tmp_path / "cache"
    passwords = []
    for _ in range(2):
        async with stage(coops.load(), folder, cache, print) as made:
            passwords.append(dict(made.passwords))
            assert made.warnings[0].startswith("NOT REAL")
            with pytest.raises(KeyError):
                await made.seat("nobody")
        (folder / "off").mkdir(exist_ok=True)
        (folder / "off/vms").write_text("it spun")
    assert passwords[0].keys() == passwords[1].keys()
    assert not set(passwords[0].values()) & set(passwords[1].values())
    assert (folder / "cache").resolve() == cache
    text = (folder / "config.toml").read_text() + (folder / "shipboard.db").read_bytes().decode("latin-1")
    assert not any(password in text for password in passwords[1].values())


async def test_a_bot_that_ends_ends_what_is_played(played: Stage) -> None:
    played.sailing.cancel()
    with pytest.raises(Fault, match="the bot has ended"):
        await played.play(asyncio.sleep(600))


async def test_a_bot_that_does_not_come_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "ABOARD_SECONDS", 0.2)
    ircd = Ircd({"alice": "secret"}, clock=SystemClock())
    person = await Person.enter(await ircd.start(), "alice", "secret", ["#ford"])
    with pytest.raises(TransportFault, match=r"Eddie did not answer in #ford within 0\.2 s"):
        await stages._aboard(person, "#ford")
    await ircd.close()
    with pytest.raises(TransportFault, match="the IRC server has ended"):
        await stages._aboard(person, "#ford")
    await person.leave()
