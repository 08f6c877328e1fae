"""A whole bot's metrics, checked by promtool and scraped by Debian's Prometheus."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot import app, config
from tests.real.irc.servers import free_port
from tests.ship import Harbour, harbour

pytestmark = pytest.mark.real

PATIENCE = 60.0
SCRAPES = """\
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: shipboard
    static_configs: [ { targets: ["127.0.0.1:PORT"] } ]
"""


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Harbour]:
    async with harbour(tmp_path) as made:
        yield made


def fetch(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - the test's own server
        return int(answer.status), answer.read().decode()


async def reach(url: str, so: Callable[[str], object]) -> str:
    """Fetch until the answer is so."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError):
                _, text = await asyncio.to_thread(fetch, url)
                if so(text):
                    return text
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def prometheus(folder: Path, scraped: int) -> AsyncIterator[str]:
    """Run a Prometheus that scrapes that port; give its address."""
    listen = f"127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text(SCRAPES.replace("PORT", str(scraped)))
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address={listen}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield f"http://{listen}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_prometheus_scrapes_a_bot_and_finds_nothing_to_mend(
    port: Harbour, need: Callable[..., None], tmp_path: Path
) -> None:
    need("prometheus", "promtool")
    listen = free_port()
    port.write(more=f'[http]\nlisten = "127.0.0.1:{listen}"')
    port.enrol()
    (alice,) = await port.seated("alice")
    async with AsyncExitStack() as stack:
        ship = await app.build(config.load(port.config), stack)
        sailing = asyncio.create_task(ship.sail())
        try:
            await alice.sees_the_bot()
            await alice.asks("!ping one", "^pong one")
            url = f"http://127.0.0.1:{listen}"
            text = await reach(f"{url}/metrics", lambda text: 'network_up{network="home"} 1' in text)
            promtool = shutil.which("promtool")
            assert promtool
            checked = await asyncio.to_thread(
                subprocess.run,
                [promtool, "check", "metrics"],
                input=text.encode(),
                capture_output=True,
                check=False,
            )
            assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
            counted = [line for line in text.splitlines() if line.startswith("shipboard_commands_total")]
            assert counted == ['shipboard_commands_total{network="home",outcome="done",plugin="help"} 1.0']
            health = json.loads(await reach(f"{url}/health", lambda text: text))
            assert health["faults"] == []
            assert health["networks"] == {"home": "up"}
            async with prometheus(tmp_path, listen) as server:
                query = f"{server}/api/v1/query?query=shipboard_network_up"
                found = json.loads(await reach(query, lambda text: '"home"' in text))
            assert [one["value"][1] for one in found["data"]["result"]] == ["1"]
        finally:
            sailing.cancel()
            await asyncio.gather(sailing, return_exceptions=True)
