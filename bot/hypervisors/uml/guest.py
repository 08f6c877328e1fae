"""One machine's guest as the bot holds it: its lock, its record, its lines, and the news of its end."""

import asyncio
import fcntl
import logging
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bot.coop.machines import MachineEvent, MachineEventKind
from bot.errors import Conflict, HypervisorFault
from bot.hypervisors.uml import process
from bot.hypervisors.uml.agent import Agent
from bot.hypervisors.uml.cleaning import one_line
from bot.hypervisors.uml.console import ConsoleLog
from bot.hypervisors.uml.ending import why
from bot.hypervisors.uml.notify import NoticeGate, Notification, NotifyKind, NotifySocket
from bot.hypervisors.uml.process import Launch
from bot.hypervisors.uml.record import End, Record, load, save
from bot.hypervisors.uml.runfolder import make_private
from bot.hypervisors.uml.site import Site

SPAWN_SECONDS = 10.0
"""How long a started process may take to become the guest's kernel."""

TAIL = 20
"""How many lines of its console go with the news of a guest's end."""

TRACE = 200
"""How many lines of its console are searched for a panic."""

log = logging.getLogger(__name__)


class Guest:
    """A machine's guest, up or down.

    `booted` is set when its kernel says that it is up, or when it has gone; `gone` while there is no process.
    `quiet` keeps its end from being told, `left` is set once the bot has let go of it.
    """

    def __init__(self, name: str, site: Site) -> None:
        self.name = name
        self.site = site
        self.home = site.folder / name
        self.run = site.run / name
        self.agent = Agent(self.home, name)
        self.console = ConsoleLog(self.home / "console.log")
        self.booted = asyncio.Event()
        self.gone = asyncio.Event()
        self.gone.set()
        self.quiet = False
        self.left = False
        self._panic = ""
        self._gate = NoticeGate(site.clock)
        self._lock: int | None = None
        self._pidfd: int | None = None
        self._notify: NotifySocket | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def record(self) -> Record:
        """What is known of its run, as written; read anew each time."""
        return load(self.home / "record.json")

    @record.setter
    def record(self, record: Record) -> None:
        save(self.home / "record.json", record)

    @property
    def mconsole(self) -> Path:
        """Where its kernel's management console listens."""
        return self.run / "u" / self.name / "mconsole"

    def alive(self, record: Record) -> bool:
        """Tell whether the process of that record runs."""
        return (
            record.pid is not None
            and record.boot == process.boot_id()
            and process.born(record.pid) == record.born
        )

    def lock(self) -> None:
        """Make this process the only one that rules the machine; Conflict if another does."""
        if self._lock is not None:
            return
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise Conflict(f"{self.name} is in the hands of another shipboard.") from None
        self._lock = fd

    def unlock(self) -> None:
        """Let other processes rule the machine, if its guest is down."""
        if self._lock is not None and self.gone.is_set():
            os.close(self._lock)
            self._lock = None

    async def launch(self, launch: Launch) -> None:
        """Start its process; return once that is the guest's kernel, before it has booted."""
        await asyncio.to_thread(self._lay_out, launch)
        self._begin(shared=launch.sandbox.switch)
        try:
            keeper = self._spawn(launch)
            try:
                pid = await self._become_kernel(keeper, launch.image.kernel)
            except BaseException:
                process.end(keeper, None, launch.uid)
                process.reap(keeper, walls=False)
                raise
        except BaseException:
            self._settle(self.record, None, late=False)
            raise
        self._watch(pid)

    def adopt(self) -> bool:
        """Take over a guest that an earlier bot started; False if it has ended, which is then told."""
        if not self.gone.is_set():
            return True
        record = self.record
        if record.wanted and record.pid is None and record.boot == process.boot_id():
            uids = {os.geteuid()} if record.uid is None else {record.uid}
            pid = process.find(self.name, self.site.tag, uids)
            record = replace(record, pid=pid, born=(pid and process.born(pid)) or 0)
        if not self.alive(record):
            if record.wanted or record.pid is not None:
                self._clear()
                self._settle(record, None, late=True)
            elif record.end and not record.end.told:
                self._tell(record.end)
            return False
        self.record = record
        self._begin(shared=record.sandbox == "uid")
        self.booted.set()
        with suppress(FileNotFoundError):
            self.agent.open()
        self._watch(record.pid or 0)
        return True

    def told(self, event: MachineEvent) -> None:
        """Note that the listener has taken the news of an end."""
        record = self.record
        if record.end and record.end.at == event.at and record.end.kind is event.kind:
            self.record = replace(record, end=replace(record.end, told=True))

    async def end(self) -> None:
        """Kill all its processes and wait until it has gone."""
        record = self.record
        for pid in (record.pid, record.keeper):
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        await self.gone.wait()

    async def close(self) -> None:
        """Let go of it; it runs on."""
        self.left = True
        if self._ending:
            await self._ending
        self._release()
        self.booted.set()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _lay_out(self, launch: Launch) -> None:
        """Make its folders anew: whatever an earlier run, or its guest, left there is gone."""
        process.end_strays(self.name, self.site.tag)
        _remove(self.run)
        guest = launch.uid if launch.sandbox.switch and launch.uid is not None else os.geteuid()
        self.home.chmod(0o700)
        make_private(self.run.parent)
        self.run.mkdir(mode=0o710)
        os.chown(self.run, -1, guest if launch.sandbox.switch else -1)
        (self.run / "n").mkdir(mode=0o711)
        shared = self.run / "u"
        shared.mkdir(mode=0o700)
        os.chown(shared, guest, os.getegid())
        shared.chmod(0o2770)
        if launch.image.disk and launch.sandbox.switch:
            os.chown(launch.image.disk, guest, -1)

    def _begin(self, *, shared: bool) -> None:
        self._panic = ""
        self.gone.clear()
        self.booted.clear()
        self._notify = NotifySocket(self.run / "n" / "s", self._heard, shared=shared)

    def _spawn(self, launch: Launch) -> int:
        line, console = self.agent.make(), self.console.renew()
        try:
            keeper = process.spawn(launch, line, console)
        finally:
            for fd in (*line, console):
                os.close(fd)
        self.record = Record(
            wanted=True,
            keeper=keeper,
            boot=process.boot_id(),
            uid=launch.uid,
            sandbox=launch.sandbox.kind,
            memory_mib=launch.memory_mib,
        )
        return keeper

    async def _become_kernel(self, keeper: int, kernel: Path) -> int:
        with suppress(TimeoutError):
            async with asyncio.timeout(SPAWN_SECONDS):
                while process.born(keeper) is not None:
                    pid = process.main_process(keeper, kernel)
                    ticks = pid and process.born(pid)
                    if pid and ticks:
                        self.record = replace(self.record, pid=pid, born=ticks)
                        return pid
                    await asyncio.sleep(0.005)
        said = " ".join(self.console.tail(3)) or "it said nothing"
        raise HypervisorFault(f"{self.name} did not start: {said}")

    def _watch(self, pid: int) -> None:
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._exited()
        else:
            asyncio.get_running_loop().add_reader(self._pidfd, self._exited)

    def _exited(self) -> None:
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
        if self._ending is None:
            self._ending = asyncio.create_task(self._finish())

    def _clear(self) -> None:
        """Clear away what a guest left that ended while no bot was there."""
        try:
            process.end_strays(self.name, self.site.tag)
            _remove(self.run)
        except HypervisorFault:
            log.exception("%s: not all that its guest left could be cleared away", self.name)

    async def _finish(self) -> None:
        record = self.record
        status = None
        try:
            if self._notify:
                self._notify.drain()
            status = await self._status(record)
            await asyncio.to_thread(process.end, record.pid or -1, record.keeper, record.uid)
            await asyncio.to_thread(_remove, self.run)
        except HypervisorFault:
            log.exception("%s: not all that its guest left could be cleared away", self.name)
        self._ending = None
        self._settle(record, status, late=False)

    async def _status(self, record: Record) -> int | None:
        """Return the exit status; bubblewrap needs a moment to pass it on."""
        keeper = record.keeper or -1
        for _ in range(100):
            if process.born(keeper) is None:
                break
            await asyncio.sleep(0.01)
        return process.reap(keeper, walls=keeper != record.pid)

    def _settle(self, record: Record, status: int | None, *, late: bool) -> None:
        """Write down how it ended, let go of it, and tell."""
        asked = not record.wanted
        kind, reason = (MachineEventKind.EXITED, "") if asked else self._why(record, status)
        if late and not asked:
            reason = f"{reason}, while the bot was away"
        tail = self.console.tail(TAIL)
        end = End(kind, one_line(reason), self.site.clock.now(), asked, told=self.quiet, tail=tail)
        self.record = record.ended(end)
        self._release()
        self.gone.set()
        self.booted.set()
        if not self.quiet:
            self._tell(end)

    def _why(self, record: Record, status: int | None) -> tuple[MachineEventKind, str]:
        if record.boot != process.boot_id():
            return MachineEventKind.CRASHED, "the host was restarted"
        return why(self._panic, status, self.console.tail(TRACE))

    def _tell(self, end: End) -> None:
        self.emit(end.kind, end.reason, asked=end.asked, end=end)

    def emit(
        self, kind: MachineEventKind, text: str = "", *, asked: bool = False, end: End | None = None
    ) -> None:
        """Put news of it into the host's queue."""
        at, tail = (end.at, end.tail) if end else (self.site.clock.now(), ())
        self.site.events.put(MachineEvent(self.name, self.site.host, kind, at, asked, text, tail))

    def _heard(self, notification: Notification) -> None:
        match notification.kind:
            case NotifyKind.SOCKET:
                self.booted.set()
            case NotifyKind.PANIC:
                self._panic = notification.text or "without a word"
            case NotifyKind.HANG | NotifyKind.USER:
                text = self._gate.admit(notification.text)
                if text:
                    self.emit(MachineEventKind.NOTICE, text)

    def _release(self) -> None:
        """Close what the bot has open of it."""
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        if self._notify:
            self._notify.close()
            self._notify = None
        self.agent.close()


def _remove(folder: Path) -> None:
    """Remove a folder in which a guest may have made anything, to any depth."""
    try:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=True, capture_output=True, timeout=60)  # noqa: S603, S607 - fixed words
    except (OSError, subprocess.SubprocessError) as error:
        raise HypervisorFault(f"{folder} cannot be removed: {error}") from error
