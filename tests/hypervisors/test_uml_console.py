import os
from pathlib import Path

from bot.hypervisors.uml.console import KEEP, LIMIT, TRIM_AT, ConsoleLog


def test_the_guest_appends_and_the_bot_shows_the_tail(tmp_path: Path) -> None:
    console = ConsoleLog(tmp_path / "console.log")
    assert console.tail(5) == ()
    assert console.size() == 0
    fd = console.renew()
    os.write(fd, b"Linux version\r\n\x1b[1mpanic\x1b[0m\n")
    assert console.tail(5) == ("Linux version", "panic")
    assert console.tail(1) == ("panic",)
    assert not console.trim()
    os.close(fd)


def test_a_long_log_is_cut_while_the_guest_writes_on(tmp_path: Path) -> None:
    console = ConsoleLog(tmp_path / "console.log")
    fd = console.renew()
    os.write(fd, b"early\n" + b"y\n" * (TRIM_AT // 2) + b"before\n")
    assert console.trim()
    os.write(fd, b"after\n")
    os.close(fd)
    assert console.tail(2) == ("before", "after")
    assert KEEP < console.size() < KEEP + 100
    assert b"early" not in (tmp_path / "console.log").read_bytes()
    assert TRIM_AT + KEEP < LIMIT


def test_the_last_runs_log_is_put_aside(tmp_path: Path) -> None:
    console = ConsoleLog(tmp_path / "console.log")
    for text in (b"one\n", b"two\n"):
        fd = console.renew()
        os.write(fd, text)
        os.close(fd)
    assert console.tail(9) == ("two",)
    assert (tmp_path / "console.old").read_text() == "one\n"
