import asyncio
from pathlib import Path

import pytest

from bot.errors import StoreFault
from bot.ports import Tx
from bot.store.chains import verify_all
from bot.store.connection import connect, copy
from bot.store.database import SqliteStore
from tests.store.conftest import write_row


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def damage(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096 * 10 : 4096 * 12] = b"\x55" * 8192
    path.write_bytes(raw)


async def test_a_backup_made_while_writing_is_whole(store: SqliteStore, tmp_path: Path) -> None:
    done = asyncio.Event()

    async def write_on() -> int:
        count = 0
        while not done.is_set() or count < 50:
            await store.write(write_row)
            count += 1
        return count

    writing = asyncio.create_task(write_on())
    for number in range(5):
        await store.backup(tmp_path / f"{number}.db")
    done.set()
    written = await writing
    lengths = []
    for number in range(5):
        copied = connect(tmp_path / f"{number}.db", read_only=True)
        verdict = verify_all(copied)["audit"]
        copied.close()
        assert verdict.whole
        lengths.append(verdict.length)
    assert lengths == sorted(lengths)
    assert lengths[-1] <= written


async def test_a_backup_is_one_private_file_that_opens_as_a_database(
    store: SqliteStore, tmp_path: Path
) -> None:
    await store.write(write_row)
    target = tmp_path / "kept.db"
    await store.backup(target)
    assert names(tmp_path) == ["kept.db", "state"]
    assert target.stat().st_mode & 0o777 == 0o600
    await store.write(write_row)
    await store.backup(target)
    copied = connect(target, read_only=True)
    assert copied.table("audit").count == 2
    copied.close()


@pytest.mark.parametrize("content", ["a diary", "x"])
async def test_something_else_is_never_overwritten(store: SqliteStore, tmp_path: Path, content: str) -> None:
    target = tmp_path / "diary.txt"
    target.write_text(content)
    with pytest.raises(StoreFault, match="holds something else"):
        await store.backup(target)
    assert target.read_text() == content
    assert names(tmp_path) == ["diary.txt", "state"]


async def test_the_database_is_no_place_for_its_own_backup(store: SqliteStore, path: Path) -> None:
    with pytest.raises(StoreFault, match="choose another file"):
        await store.backup(path)
    with pytest.raises(StoreFault, match="choose another file"):
        await store.backup(path.parent)


async def test_a_place_that_cannot_be_written_is_a_fault(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFault, match=r"file/kept\.db: cannot be written: Not a directory"):
        await store.backup(tmp_path / "file" / "kept.db")


async def test_a_damaged_database_makes_no_backup(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    def fill(tx: Tx) -> None:
        for _ in range(300):
            write_row(tx)

    await store.write(fill)
    await store.close()
    damage(path)
    with pytest.raises(StoreFault, match=f"{path}: is damaged|{path} copied to .* malformed"):
        copy(path, tmp_path / "kept.db")
    assert not (tmp_path / "kept.db").exists()
