"""Why a guest ended that nobody asked to end: its kernel's word, its exit status, its console."""

import signal
from collections.abc import Sequence

from bot.coop.machines import MachineEventKind

_LAST = 5
_DOWN = ("reboot: System halted", "reboot: Power down", "reboot: Restarting system")


def why(panic: str, status: int | None, tail: Sequence[str]) -> tuple[MachineEventKind, str]:
    """Return whether it crashed or went down by itself, and how, in a few words.

    `panic` is what its kernel said of one, `status` how its process ended (negative for a signal, None where
    an earlier bot started it), `tail` the end of its console: its own word, trusted for want of better.
    """
    down = next((line for line in tail[-_LAST:] if line.endswith(_DOWN)), "")
    if panic:
        return MachineEventKind.CRASHED, f"kernel panic: {panic}"
    if status == 0 or (status is None and down):
        return MachineEventKind.EXITED, f"{'rebooted' if down.endswith(_DOWN[2]) else 'halted'} from inside"
    if status is None:
        written = next((line for line in tail if "Kernel panic" in line), None)
        return MachineEventKind.CRASHED, written or "its process ended"
    return MachineEventKind.CRASHED, f"its process ended {_how(status)}"


def _how(status: int) -> str:
    if status > 0:
        return f"with status {status}"
    names = {number.value: number.name for number in signal.Signals}
    return f"by {names.get(-status, f'signal {-status}')}"
