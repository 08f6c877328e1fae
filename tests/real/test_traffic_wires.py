"""Real interfaces and real counters of nftables, with the bot's own sampler, in namespaces of their own."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NEAR = 0.02


@pytest.fixture
def box(need: Callable[..., None]) -> Callable[..., Any]:
    """What plays a host with its guests; only root with a tun device can have such a host."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        pytest.skip("NOT TESTED: taps need root and /dev/net/tun, which this environment lacks")
    need("ip", "unshare", "mount")
    return play


async def play(scene: str, text: str = "") -> Any:  # noqa: ANN401 - JSON
    argv = ["unshare", "-n", "-m", sys.executable, str(HERE / "wires.py"), scene]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    said, complaint = await process.communicate(text.encode())
    if process.returncode and b"unshare failed" in complaint:
        pytest.skip("NOT TESTED: this environment gives root no namespaces")
    assert process.returncode == 0, complaint.decode()
    return json.loads(said)


async def test_the_bytes_of_a_tap_are_counted_as_its_guest_sees_them_through_all_its_lives(
    box: Callable[..., Any],
) -> None:
    found = await box("taps")
    assert len(found["sent"]) == len(found["found"]) == 4
    assert found["sent"][0][0] > 20_000_000
    for sent, counted in zip(found["sent"], found["found"], strict=True):
        assert counted[:2] == pytest.approx(sent, rel=NEAR)
    assert found["rows"] == pytest.approx([sum(step) for step in zip(*found["sent"], strict=True)], rel=NEAR)
    assert [counted[2] for counted in found["found"]] == pytest.approx(
        [found["world"], 0, found["world"], found["world"]], rel=NEAR
    )
    assert found["told"] == []


async def test_the_rules_of_the_documentation_count_what_passes_the_uplink_and_nothing_else(
    box: Callable[..., Any], need: Callable[..., None]
) -> None:
    need("nft")
    rules = re.search(r"```nft\n(.*?)```", (ROOT / "docs/running.md").read_text("utf-8"), re.DOTALL)
    assert rules
    found = await box("routed", rules[1])
    assert [counted[:2] for counted in found["found"]] == [[500 * n, 1000 * n] for n in (100, 200, 300, 400)]
    assert found["rows"] == [500_000, 1_000_000]
    assert [counted[2] for counted in found["found"][:2]] == pytest.approx([51_400, 102_800], rel=NEAR)
    assert len(found["told"]) == 1
    assert "No such file or directory" in found["told"][0]
