import pytest

from bot.hypervisors.uml.ending import why

PANIC = ("Kernel panic - not syncing: no init", "Call trace:")


@pytest.mark.parametrize(
    ("panic", "status", "tail", "kind", "reason"),
    [
        ("oops", -6, (), "crashed", "kernel panic: oops"),
        ("oops", 0, ("reboot: System halted",), "crashed", "kernel panic: oops"),
        ("", 0, (), "exited", "halted from inside"),
        ("", 0, ("[ 1.0] reboot: Restarting system",), "exited", "rebooted from inside"),
        ("", None, ("x", "reboot: Power down"), "exited", "halted from inside"),
        ("", None, ("reboot: Power down", *"abcde"), "crashed", "its process ended"),
        ("", None, PANIC, "crashed", PANIC[0]),
        ("", None, (), "crashed", "its process ended"),
        ("", 1, ("reboot: System halted",), "crashed", "its process ended with status 1"),
        ("", -9, (), "crashed", "its process ended by SIGKILL"),
        ("", -63, (), "crashed", "its process ended by signal 63"),
    ],
)
def test_why_a_guest_ended(
    panic: str, status: int | None, tail: tuple[str, ...], kind: str, reason: str
) -> None:
    assert why(panic, status, tail) == (kind, reason)
