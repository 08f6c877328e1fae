from pathlib import Path

from bench.measures import OUTBOX
from bench.outbox import measure


async def test_the_outbox_is_measured(tmp_path: Path) -> None:
    found = await measure(tmp_path, rows=200, alerts=5)
    assert set(found) == {measure.key for measure in OUTBOX}
    assert found["durable_s"] > 0
    assert found["said_s"] > 0
