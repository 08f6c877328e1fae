"""The metrics are off unless they are asked for, and say what they lack."""

import asyncio
import importlib.util
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot import app, config, http, launch, wiring
from bot.errors import ConfigError


def written(folder: Path, more: str = "") -> config.Config:
    path = folder / "config.toml"
    path.write_text(f'[bot]\nstate = "state"\n{more}')
    return config.load(path)


async def test_they_are_off_unless_they_are_asked_for(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        ship = await app.build(written(tmp_path), stack)
        assert ship.config.http is None
        assert ship.crew.pipeline.counts is None


async def test_without_the_extra_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = written(tmp_path, '[http]\nlisten = "127.0.0.1:9464"')
    assert wiring.check(wanted) == []
    monkeypatch.setattr(http, "find_spec", lambda name: None if name == "prometheus_client" else name)
    lacks = "http: prometheus-client is missing: in a checkout, pip install '.[http]'"
    assert wiring.check(wanted) == [lacks]
    assert wiring.check(written(tmp_path)) == []
    with pytest.raises(ConfigError, match="prometheus-client is missing"):
        await launch.sail(wanted, asyncio.Event())
    assert not wanted.bot.state.exists()
    assert importlib.util.find_spec("prometheus_client")
