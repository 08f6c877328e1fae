"""A host whose guests are played by this process: it writes frames to their taps, and reads what comes.

Run by the tests in network and mount namespaces of its own (unshare -n -m); prints what it found as JSON.
TUNSETIFF: https://docs.kernel.org/networking/tuntap.html.
"""

import asyncio
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from bot import Machine, Tick
from bot.hypervisors.fake import FakeHypervisor
from bot.meters.host import HostMeter
from bot.meters.interfaces import Wires
from bot.runtime.sampler import TICK_SECONDS, Sampler
from bot.testing import FakeClock, FakeIncidents
from tests.watched import Pages, Roll

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
MAC_GUEST, MAC_HOST, MAC_WORLD = (bytes([2, 0, 0, 0, 0, n]) for n in (1, 2, 3))
FRAME = 1514
NAME = "tford-1"


class Tap:
    """A network interface whose other end is this process."""

    def __init__(self, name: str, *, mac: bytes = MAC_HOST) -> None:
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        sh("ip", "link", "set", name, "address", mac.hex(":"), "up")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((name, 0))

    def guest_sends(self, frame: bytes, count: int) -> int:
        """Let the guest send so many frames; return the bytes."""
        return sum(os.write(self.fd, frame) for _ in range(count))

    def guest_gets(self, frame: bytes, count: int) -> int:
        """Let the host send so many frames to the guest, and return the bytes that the guest has read."""
        taken = 0
        for _ in range(count):
            self.socket.send(frame)
            taken += self.read()
        return taken

    def read(self) -> int:
        """Read all that waits; return how many bytes that was."""
        taken = 0
        while True:
            try:
                taken += len(os.read(self.fd, 2048))
            except BlockingIOError:
                return taken

    def close(self) -> None:
        """Take the interface away."""
        self.socket.close()
        os.close(self.fd)


class Watch:
    """The bot's own sampler with the real meter."""

    def __init__(self, wires: Wires) -> None:
        self.clock, self.pages, self.incidents = FakeClock(), Pages(), FakeIncidents()
        self.sampler = Sampler(
            meter=HostMeter({"ford": Path(tempfile.gettempdir())}, self.clock, wires={"ford": wires}),
            hypervisor=FakeHypervisor("ford", self.clock),
            roster=Roll((Machine("ford-1", "ford", "alice"),)),  # type: ignore[arg-type]  # only its machines are asked for
            clock=self.clock,
            incidents=self.incidents,
            history=self.pages,
            pulse=self.hear,
        )

    async def hear(self, tick: Tick) -> None:
        """There is nobody to be told."""

    async def tick(self) -> list[int]:
        """Take a tick; return what the machine, then the host, received and sent since the one before."""
        await self.clock.advance(TICK_SECONDS)
        tick = await self.sampler.tick()
        machine, host = tick.machines["ford-1"], tick.hosts["ford"]
        assert host is not None
        return [machine.received, machine.sent, host.received, host.sent]

    async def rows(self) -> list[int]:
        """Let the minute end; return what all rows of the machine hold."""
        for _ in range(6):
            await self.tick()
        slots = [
            slot for minute in self.pages.minutes for key, slot in minute.slots.items() if key[1] == "ford-1"
        ]
        return [sum(slot.received for slot in slots), sum(slot.sent for slot in slots)]


def sh(*argv: str, text: str | None = None) -> None:
    """Run a program that must succeed."""
    subprocess.run(argv, check=True, input=text, text=True, stdout=subprocess.DEVNULL)


def ethernet(to: bytes, source: bytes, payload: bytes, kind: int = 0x0800) -> bytes:
    """Return a frame."""
    return to + source + struct.pack(">H", kind) + payload


def packet(source: str, to: str, size: int) -> bytes:
    """Return a UDP packet in IPv4 (RFC 791, 768) of that many bytes."""
    ends = socket.inet_aton(source) + socket.inet_aton(to)
    head = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, 17, 0) + ends
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack(">H", ~total & 0xFFFF) + head[12:]
    return head + struct.pack(">HHHH", 9, 9, size - 20, 0) + bytes(size - 28)


async def taps() -> dict[str, object]:
    """Send and receive over a tap that is made anew, once seen gone and once not."""
    plain = ethernet(MAC_HOST, MAC_GUEST, bytes(FRAME - 14), 0x88B5)  # a number for local experiments
    watch, steps, world = Watch(Wires(uplink="eth0")), [], 0
    uplink, tap = Tap("eth0"), Tap(NAME)
    found = [await watch.tick()]
    for anew, count in (("", 14_000), ("seen gone", 3_000), ("at once", 16_000)):
        if anew:
            tap.close()
            if anew == "seen gone":
                steps.append([0, 0])
                found.append(await watch.tick())
            tap = Tap(NAME)
        steps.append([tap.guest_gets(plain, count), tap.guest_sends(plain, count // 2)])
        world = uplink.guest_sends(plain, 100)
        found.append(await watch.tick())
    rows = await watch.rows()
    return {"sent": steps, "found": found[1:], "rows": rows, "world": world, "told": _told(watch)}


async def routed(rules: str) -> dict[str, object]:
    """Route between a tap and the uplink, with rules that are loaded anew, once seen gone and once not."""
    watch = Watch(Wires(uplink="eth0", counters="inet acct"))
    tap, uplink = Tap(NAME), Tap("eth0", mac=MAC_WORLD)
    sh("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    for device, net, mac in ((NAME, "10.77.1", MAC_GUEST), ("eth0", "192.0.2", MAC_WORLD)):
        sh("ip", "addr", "add", f"{net}.1/24", "dev", device)
        sh("ip", "neigh", "add", f"{net}.2", "lladdr", mac.hex(":"), "dev", device)
    out = ethernet(MAC_HOST, MAC_GUEST, packet("10.77.1.2", "192.0.2.2", 1000))
    into = ethernet(MAC_WORLD, bytes([2, 0, 0, 0, 0, 9]), packet("192.0.2.2", "10.77.1.2", 500))
    home = ethernet(MAC_HOST, MAC_GUEST, packet("10.77.1.2", "10.77.1.1", 1000))
    load_rules(rules)
    found = [await watch.tick()]
    for number, anew in enumerate(("", "", "seen gone", "at once"), start=1):
        if anew:
            sh("nft", "delete", "table", "inet", "acct")
            if anew == "seen gone":
                await watch.tick()
            load_rules(rules)
        tap.guest_sends(home, 10)
        for _ in range(100 * number):
            tap.guest_sends(out, 1)
            uplink.guest_sends(into, 1)
            tap.read()
            uplink.read()
        found.append(await watch.tick())
    return {"found": found[1:], "rows": await watch.rows(), "told": _told(watch)}


def load_rules(rules: str) -> None:
    """Add rules to the kernel's."""
    sh("nft", "-f", "-", text=rules)


def _told(watch: Watch) -> list[str]:
    return [f"{during}: {error}" for error, during, _ in watch.incidents.reported]


if __name__ == "__main__":
    sh("mount", "-t", "sysfs", "sysfs", "/sys")
    work = taps() if sys.argv[1] == "taps" else routed(sys.stdin.read())
    sys.stdout.write(json.dumps(asyncio.run(work)))
