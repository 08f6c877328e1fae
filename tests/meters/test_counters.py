"""Counters of interfaces and of nftables, on a kernel that is a folder and an nft that is a script."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config import HostTable
from bot.coop.traffic import Counter
from bot.errors import HypervisorFault, NotFound
from bot.meters import nftables
from bot.meters.fake import FakeMeter
from bot.meters.host import HostMeter
from bot.meters.interfaces import MOST_COUNTED, Kernel, Wires, read
from bot.ports import Meter, TrafficReading
from bot.runtime.clock import SystemClock

HEAD = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls
"""
# what nft 1.0.6 of Debian 12 answers to `nft -j "list tables inet; list counters table inet acct"`
SAMPLE = (
    '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", '
    '"json_schema_version": 1}}, {"table": {"family": "inet", "name": "acct", "handle": 3}}]}\n'
    '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", '
    '"json_schema_version": 1}}, {"counter": {"family": "inet", "name": "in_ford_1", "table": "acct", '
    '"handle": 2, "packets": 5, "bytes": 700}}, {"counter": {"family": "inet", "name": "out_ford_1", '
    '"table": "acct", "handle": 4, "packets": 1, "bytes": 60}}, {"counter": {"family": "inet", '
    '"name": "in_ford_2", "table": "acct", "handle": 5, "packets": 0, "bytes": 0}}]}\n'
)
FORD_1 = Counter("nft:b00t 3.2 3.4", received=700, sent=60)


class Machinery:
    """A kernel whose files a test writes, and a place for programs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.lines = folder, dict[str, str]()
        self.kernel = Kernel(folder / "dev", folder / "net", folder / "boot_id")
        self.kernel.boot.write_text("b00t\n")
        self.path = folder / "bin"
        self.path.mkdir()
        monkeypatch.setenv("PATH", f"{self.path}:{os.environ['PATH']}")
        monkeypatch.setattr(nftables, "_PATH", str(self.path))
        self.put("lo", 1, 5, 5)

    def put(self, name: str, index: int, received: object, sent: object) -> None:
        """Let there be an interface, as the host sees it."""
        (self.kernel.interfaces / name).mkdir(parents=True, exist_ok=True)
        (self.kernel.interfaces / name / "ifindex").write_text(f"{index}\n")
        self.lines[name] = f"{name:>6}: {received} 1 0 0 0 0 0 0 {sent} 2 0 0 0 0 0 0\n"
        self.kernel.devices.write_text(HEAD + "".join(self.lines.values()))

    def nft(self, script: str) -> None:
        """Let there be an nft."""
        (self.path / "nft").write_text(f"#!/bin/sh\n{script}\n")
        (self.path / "nft").chmod(0o755)

    def meter(self, **wires: Any) -> HostMeter:  # noqa: ANN401 - the fields of Wires
        """Return what measures the host."""
        return HostMeter(
            {"ford": self.folder}, SystemClock(), wires={"ford": Wires(**wires)}, kernel=self.kernel
        )


@pytest.fixture
def machinery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machinery:
    return Machinery(tmp_path, monkeypatch)


@pytest.fixture(params=["host", "fake"])
def meter(request: pytest.FixtureRequest, machinery: Machinery) -> Meter:
    if request.param == "host":
        machinery.put("eth0", 2, 1000, 100)
        machinery.put("tford-1", 7, 10, 20)
        return machinery.meter(uplink="eth0")
    fake = FakeMeter(("ford",), SystemClock())
    fake.set_uplink("ford", Counter("if:b00t 2", received=1000, sent=100))
    fake.set_traffic("ford-1", Counter("if:b00t 7", received=20, sent=10))
    return fake


async def test_a_reading_has_the_uplink_and_the_machines_that_have_a_counter(meter: Meter) -> None:
    reading = await meter.traffic("ford", ["ford-1", "ford-2"])
    assert reading.uplink == Counter("if:b00t 2", received=1000, sent=100)
    assert reading.machines == {"ford-1": Counter("if:b00t 7", received=20, sent=10)}
    assert (await meter.traffic("ford", ())).machines == {}
    with pytest.raises(NotFound, match="zaphod"):
        await meter.traffic("zaphod", ["ford-1"])


async def test_a_host_without_wires_has_taps_of_the_usual_name(machinery: Machinery) -> None:
    assert await machinery.meter().traffic("ford", ()) == TrafficReading()
    assert await machinery.meter().traffic("ford", ["a"]) == TrafficReading()
    machinery.put("vm-a0", 3, 1, 2)
    assert set((await machinery.meter(taps="vm-{machine}0").traffic("ford", ["a"])).machines) == {"a"}
    machinery.put("ta", 4, 1, 2)
    assert (await machinery.meter().traffic("ford", ["a"])).machines == {"a": Counter("if:b00t 4", 2, 1)}


def test_an_interface_that_goes_away_meanwhile_is_left_out(machinery: Machinery) -> None:
    machinery.put("eth0", 2, 1, 1)
    (machinery.kernel.interfaces / "tgone").mkdir()
    del machinery.lines["lo"]
    machinery.put("eth1", 3, 1, 1)
    assert set(read(machinery.kernel, ["eth0", "tgone", "lo", "eth9"])) == {"eth0"}


@pytest.mark.parametrize("nonsense", ["-1", str(MOST_COUNTED), "many"])
async def test_numbers_that_cannot_be_are_a_fault(machinery: Machinery, nonsense: str) -> None:
    machinery.put("eth0", 2, 5, nonsense)
    with pytest.raises(HypervisorFault, match="the traffic of host ford cannot be counted"):
        await machinery.meter(uplink="eth0").traffic("ford", ())
    machinery.lines["eth0"] = "eth0: 1 2\n"
    machinery.put("lo", 1, 1, 1)
    with pytest.raises(HypervisorFault, match="index"):
        await machinery.meter(uplink="eth0").traffic("ford", ())


async def test_no_boot_id_is_a_fault(machinery: Machinery) -> None:
    machinery.kernel.boot.unlink()
    with pytest.raises(HypervisorFault, match="boot_id"):
        await machinery.meter(uplink="eth0").traffic("ford", ())


async def test_the_counters_of_nftables_win_over_taps(machinery: Machinery) -> None:
    (machinery.folder / "sample").write_text(SAMPLE)
    machinery.nft(
        f'[ "$1 $2" = "-j list tables inet; list counters table inet acct" ] && cat {machinery.folder}/sample'
    )
    machinery.put("tford-1", 7, 10, 20)
    machinery.put("tford-2", 8, 30, 40)
    meter = machinery.meter(counters="inet acct")
    reading = await meter.traffic("ford", ["ford-1", "ford-2", "ford-3"])
    assert reading.machines == {"ford-1": FORD_1, "ford-2": Counter("if:b00t 8", 40, 30)}


async def test_an_nft_that_does_not_answer_is_ended(
    machinery: Machinery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nftables, "SECONDS", 0.1)
    machinery.nft("sleep 600 & wait")
    with pytest.raises(HypervisorFault, match="status -9"):
        await machinery.meter(counters="inet acct").traffic("ford", ["ford-1"])


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo 'Error: No such file or directory' >&2; echo more >&2; exit 1",
            "acct`: Error: No such file or directory$",
        ),
        ("exit 3", "status 3"),
        ("yes", "more than"),
        ("echo nonsense", "JSONDecodeError"),
        ("echo []", "TypeError"),
        ("echo '{}'", "KeyError"),
        ("""echo '{"nftables": 3}'""", "TypeError"),
        ("""echo '{"nftables": ["x"]}'""", "AttributeError"),
        (r"""printf '\377\377'""", "JSONDecodeError"),
    ],
)
async def test_an_nft_that_talks_nonsense_is_a_fault(machinery: Machinery, script: str, why: str) -> None:
    machinery.nft(script)
    with pytest.raises(HypervisorFault, match=why):
        await machinery.meter(counters="inet acct").traffic("ford", ["ford-1"])


async def test_no_nft_or_one_that_is_no_program_is_a_fault(
    machinery: Machinery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(machinery.path))
    with pytest.raises(HypervisorFault, match="not installed"):
        await machinery.meter(counters="inet acct").traffic("ford", ["ford-1"])
    (machinery.path / "nft").write_text("\x7fELF")
    (machinery.path / "nft").chmod(0o755)
    with pytest.raises(HypervisorFault, match="cannot be run"):
        await machinery.meter(counters="inet acct").traffic("ford", ["ford-1"])


@pytest.mark.parametrize("bytes_", [-1, 2**63, True, "7", None, 1.5])
@pytest.mark.parametrize("key", ["bytes", "handle"])
def test_a_counter_with_an_impossible_number_is_a_fault(key: str, bytes_: object) -> None:
    first, second = (json.loads(line) for line in SAMPLE.splitlines())
    second["nftables"][1]["counter"][key] = bytes_
    with pytest.raises(HypervisorFault, match=key):
        nftables.parse(f"{json.dumps(first)}\n{json.dumps(second)}", "b00t", ["ford-1"])
    first["nftables"].pop()
    with pytest.raises(HypervisorFault, match="handle"):
        nftables.parse(f"{json.dumps(first)}\n{SAMPLE.splitlines()[1]}", "b00t", ["ford-1"])


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["nftables", "table", "counter", "name", "family", "handle", "bytes"]),
            inner,
            max_size=5,
        )
    ),
)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.sampled_from(["table", "counter"]), ANY, max_size=2), max_size=4), ANY)
def test_whatever_nft_says_is_counters_or_a_fault(objects: list[Any], more: Any) -> None:  # noqa: ANN401 - any JSON
    for said in ({"nftables": [*json.loads(SAMPLE.splitlines()[1])["nftables"], *objects]}, more):
        try:
            found = nftables.parse(json.dumps(said), "b00t", ["ford-1"])
        except HypervisorFault:
            continue
        assert set(found) <= {"ford-1"}


def test_deep_nonsense_is_a_fault() -> None:
    with pytest.raises(HypervisorFault, match="RecursionError"):
        nftables.parse('{"nftables": ' + "[" * 100_000, "b00t", ["ford-1"])


async def test_a_file_with_counters_counts_while_it_is_fresh(
    machinery: Machinery, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = machinery.folder / "counters.json"
    meter = machinery.meter(counters=str(path))
    with pytest.raises(HypervisorFault, match="No such file"):
        await meter.traffic("ford", ["ford-1"])
    path.write_text(SAMPLE)
    assert (await meter.traffic("ford", ["ford-1"])).machines == {"ford-1": FORD_1}
    old = path.stat().st_mtime - nftables.STALE_SECONDS - 30
    os.utime(path, (old, old))
    with pytest.raises(HypervisorFault, match=r"was written 9\d+ s ago"):
        await meter.traffic("ford", ["ford-1"])
    monkeypatch.setattr(nftables, "MOST_BYTES", 100)
    path.write_text(SAMPLE)
    with pytest.raises(HypervisorFault, match="more than 100 bytes"):
        await meter.traffic("ford", ["ford-1"])


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("uplink", ["eth0", "enp0s31f6", "br-lan.7"], ["", "..", ".", "a/b", "a b", "x" * 16, "a:1"]),
        (
            "taps",
            ["t{machine}", "{machine}", "vm-{machine}.0"],
            ["", "tap", "{machine}{machine}", "a/{machine}", "{0}"],
        ),
        (
            "counters",
            ["inet acct", "bridge a_1", "/run/acct.json"],
            ["acct", "inet a;b", "inet  acct", "run/x", "inet acct\n"],
        ),
    ],
)
def test_the_config_takes_only_names_that_can_be(key: str, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert getattr(HostTable.model_validate({"hypervisor": "fake", key: text}), key) == text
    for text in bad:
        with pytest.raises(ValueError, match="is not written like"):
            HostTable.model_validate({"hypervisor": "fake", key: text})
