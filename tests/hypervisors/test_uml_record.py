from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.coop.machines import MachineEventKind
from bot.hypervisors.uml.record import End, Record, load, save

END = End(
    MachineEventKind.CRASHED,
    "panic",
    datetime(2026, 11, 22, tzinfo=UTC),
    asked=False,
    told=False,
    tail=("a",),
)


@pytest.mark.parametrize(
    "record",
    [Record(), Record(True, 7, 6, 5, "boot", 60600, "uid", 64, True, ("note",), END)],  # noqa: FBT003 - as it stands in the file
)
def test_a_record_comes_back_as_it_was_written(tmp_path: Path, record: Record) -> None:
    save(tmp_path / "record.json", record)
    assert load(tmp_path / "record.json") == record
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "null", '{"end": null}', '{"end": {}, "notes": []}', "\xff"]
)
def test_a_record_that_cannot_be_read_is_an_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(text.encode("latin-1"))
    assert load(path) == Record()
    assert load(tmp_path / "none") == Record()


def test_an_end_ends_what_was_wanted() -> None:
    ended = Record(wanted=True, pid=7, keeper=6, paused=True, uid=60600).ended(END)
    assert ended == Record(uid=60600, end=END)
