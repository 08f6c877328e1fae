from pathlib import Path

from bench import watch
from bench.measures import WATCH


async def test_the_watch_is_measured(tmp_path: Path) -> None:
    found = await watch.measure(tmp_path, many=50, count=8, old=False)
    assert list(found) == [measure.key for measure in WATCH][: len(found)]
    assert all(figure > 0 for figure in found.values())
