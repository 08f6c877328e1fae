from pathlib import Path

from bench.outbox import measure


async def test_the_outbox_is_measured(tmp_path: Path) -> None:
    found = await measure(tmp_path, rows=200, alerts=5)
    assert set(found) == {"written a s", "said a s", "urgent p50, ms", "urgent p99, ms"}
    assert found["written a s"] > 0
    assert found["said a s"] > 0
