"""Tells systemd how the bot is, see https://www.freedesktop.org/software/systemd/man/sd_notify.html.

A datagram a message, never waited for: a reader whose queue is full would hold up the whole bot.
"""

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notifier:
    """Where systemd listens, and within how many seconds it wants to hear of us; 0: it does not."""

    address: str = ""
    watchdog: float = 0.0

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> "Notifier":
        """Read, and take out, what systemd left in the environment: what we start is none of its business."""
        address = environment.pop("NOTIFY_SOCKET", "")
        micros, pid = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        ours = not pid or pid == str(os.getpid())
        seconds = int(micros) / 1e6 if ours and micros.isdecimal() and micros.isascii() else 0.0
        return cls(address if address[:1] in {"/", "@"} else "", seconds)

    def tell(self, *lines: str) -> None:
        """Send assignments such as READY=1; what systemd does not take at once is left out."""
        if not self.address:
            return
        path = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        data = "\n".join(" ".join(line.split()) for line in lines).encode("utf-8", "replace")
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.setblocking(False)  # noqa: FBT003 - socket's own way to say it
            door.sendto(data, path)
