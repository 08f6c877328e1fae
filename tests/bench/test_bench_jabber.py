"""The bench on both networks, in small."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from bench import jabber, laden
from bench.measures import JABBER, SUBJECT, report
from bench.server import serving


@pytest.mark.real
async def test_both_networks_are_measured_beside_the_floors(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [name for name in ("ngircd", "prosody", "openssl") if shutil.which(name, path=path) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"NO BENCH TESTED ON JABBER, {missing} missing")
    assert not missing
    small = {
        "CHATTER": 20,
        "_CHUNK": 10,
        "WARM_UPS": 1,
        "SAMPLES": 3,
        "SETTLE": 0.1,
        "WAITING": 20,
        "PATIENCE": 90,
    }
    monkeypatch.setattr(laden, "IDLE", 0.5)
    monkeypatch.setattr(laden, "MACHINES", 3)
    for name, count in small.items():
        monkeypatch.setattr(jabber, name, count)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - a server that runs as nobody reads there
        async with serving(Path(folder)) as server:
            found = await jabber.measure(server, 1, print)
    assert set(found["irc"][0]) == {"join_s"}
    assert {"p50_ms", "p99_ms", "chatter_s"} <= set(found["slixmpp"][0])
    keys = {key for figures in found[SUBJECT] for key in figures}
    assert keys == {measure.key for measure in JABBER}
    merged = {
        SUBJECT: {key: value for figures in found[SUBJECT] for key, value in figures.items()},
        **{k: v[0] for k, v in found.items() if k != SUBJECT},
    }
    assert "?" not in report(merged, JABBER)
