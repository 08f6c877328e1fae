"""The world as protocols: each has a real part and a fake beside it that passes the same contract tests."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.coop.chain import Verdict
from bot.coop.events import Event
from bot.coop.machines import Machine, MachineEvent, MachineInfo, RunResult, StopResult, Usage
from bot.coop.people import Member, Role
from bot.coop.questions import Inquiry
from bot.coop.shares import Share
from bot.model import Identity, Message, Notice, Place, Reply

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")


class Clock(Protocol):
    """Time, so that tests never sleep."""

    def now(self) -> datetime:
        """Return the wall clock's instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""

    async def sleep(self, seconds: float) -> None:
        """Wait that long by this clock."""


class Entropy(Protocol):
    """Randomness, so that tests repeat."""

    def token(self, bits: int) -> str:
        """Return an unguessable text of that many bits, in lower-case letters and digits."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number between the two, for jitter."""


class Report(Protocol):
    """How a long command tells its progress; the first call makes it a job."""

    async def __call__(self, part: float, text: str) -> None:
        """Tell that this part (0 to 1) is done, and what happens now."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One network connection as it is now; `detail` says why it is down, or what it lacks."""

    network: str
    up: bool
    nick: str = ""
    account: str | None = None
    rooms: tuple[str, ...] = ()
    detail: str = ""


class Transport(Protocol):
    """One network connection. It alone connects; it translates and decides nothing."""

    @property
    def network(self) -> str:
        """The name of the network in the config."""

    async def serve(self, up: Callable[[], None]) -> None:
        """Hold one connection: connect, log in, call `up`, join, until it is lost.

        Ends only by TransportFault, which says why it was lost, or by cancellation, after leaving politely.
        The supervisor alone calls this, again and again.
        """

    async def say(self, place: Place, lines: Sequence[str]) -> bool:
        """Deliver lines to a room, or to a nick; True once the network has taken them, False if it did not.

        Lines are cleaned, split and paced here. Never raises for what a peer or the network does.
        """

    async def tell(self, identity: Identity, lines: Sequence[str]) -> bool:
        """Deliver lines directly to whoever holds that identity, proven now; False if nobody does."""

    def status(self) -> LinkStatus:
        """Return what this connection is like now."""


class Road(Protocol):
    """The road of a message, as a transport sees it."""

    async def handle(self, message: Message, report: Report) -> Reply:
        """Take one message to its reply; never raises."""


class Hypervisor(Protocol):
    """What runs machines on one host; the injected one is the fleet, which routes by `machine.host`.

    Refusals: Conflict where the state does not fit (already running, not running, no agent, busy). Faults:
    HypervisorFault with the cause. State is read from the host each time.
    """

    async def inspect(self, machine: Machine) -> MachineInfo:
        """Return what the machine is like now; a machine that is down or was never started is no error."""

    async def start(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Boot it and return when it is ready; HypervisorFault with its last console lines if it does not."""

    async def stop(self, machine: Machine, grace: float = 30.0) -> StopResult:
        """Take it down as gently as it lets itself be, and say which rung of the ladder worked."""

    async def reboot(self, machine: Machine, report: Report | None = None) -> MachineInfo:
        """Stop it and start it again."""

    async def pause(self, machine: Machine) -> None:
        """Freeze it; it uses no CPU until resumed."""

    async def resume(self, machine: Machine) -> None:
        """Let a paused machine go on."""

    async def kill(self, machine: Machine) -> None:
        """End it at once, whatever is lost, and leave no process of it."""

    async def run(self, machine: Machine, command: str, timeout: float = 30.0) -> RunResult:  # noqa: ASYNC109 - it is the guest that is limited
        """Run a shell command in the guest through its agent."""

    async def console(self, machine: Machine, lines: int) -> tuple[str, ...]:
        """Return the last lines of the console log, without control characters."""

    async def usage(self, machine: Machine) -> Usage:
        """Return what a running machine uses."""

    async def adopt(self, machines: Sequence[Machine]) -> tuple[MachineInfo, ...]:
        """Take over machines that already run, at the bot's start; return those found up."""

    def events(self) -> AsyncIterator[MachineEvent]:
        """Yield what happens to machines, until closed."""

    async def close(self) -> None:
        """Let go of everything but the machines: they outlive the bot."""


@dataclass(frozen=True, slots=True)
class HostReading:
    """A host now: sizes in bytes; pressure by resource, in percent of the last 10 s that tasks waited."""

    name: str
    cpus: int
    load: tuple[float, float, float]
    memory_total: int
    memory_available: int
    disk_total: int
    disk_free: int
    boot: datetime
    pressure: dict[str, float] = field(default_factory=dict)


class Meter(Protocol):
    """What measures physical hosts."""

    def hosts(self) -> tuple[str, ...]:
        """Return the names of the hosts that it can measure, as the config calls them."""

    async def read(self, host: str) -> HostReading:
        """Measure the host now; NotFound if it is none of ours, HypervisorFault if it cannot be measured."""


class Tx(Protocol):
    """One transaction: everything in it happens, or nothing."""

    @property
    def db(self) -> "Database":
        """The sqlite_utils Database, inside BEGIN IMMEDIATE."""

    @property
    def at(self) -> datetime:
        """The instant of this transaction."""

    def notice(self, notice: Notice) -> None:
        """Put a notice into the outbox."""

    def event(self, event: Event) -> None:
        """Put an event where it is dispatched from after the commit."""


class Store(Protocol):
    """The database: one writer thread, one transaction per call; readers have their own connection."""

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction on the writer thread; what it raises rolls everything back."""

    async def read(self, fn: "Callable[[Database], T]") -> T:
        """Run `fn` on a read-only connection; it sees one state of the database."""

    async def glance(self, fn: "Callable[[Database], T]") -> T:
        """Run one quick query on a read-only connection, in place: a row or two by their key."""


class Roster(Protocol):
    """Who and what there is: read anew each time, so that the CLI may write while the bot runs."""

    async def member(self, name: str) -> Member | None:
        """Return the member of that name, in any case."""

    async def members(self) -> tuple[Member, ...]:
        """Return all members by name."""

    async def holder(self, identity: Identity) -> Member | None:
        """Return whose identity this is, and note that it was seen."""

    async def identities(self, member: Member) -> tuple[Identity, ...]:
        """Return a member's identities, the last seen first."""

    async def machine(self, name: str) -> Machine | None:
        """Return the machine of that name, in any case."""

    async def machines(self) -> tuple[Machine, ...]:
        """Return all machines by host and name."""


class Incidents(Protocol):
    """Where faults go: the person gets the number, the admins the cause."""

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        """Record a fault and return its number, 4 hex digits; never raises.

        The message of a private one, which may hold private words, is left out.
        """


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit book, as it is given to it.

    `kind` is `asked`, `done`, `refused`, `failed` or, for what no command did, a word of its own. `words` has
    lost its private ones. `ref` is the number of the row that this one answers.
    """

    kind: str
    actor: str
    command: str
    words: str = ""
    identity: str = ""
    place: str = ""
    outcome: str = ""
    ref: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the audit book holds it; `hash` is 64 hex digits."""

    seq: int
    at: datetime
    entry: Entry
    hash: str


class Book(Protocol):
    """The audit book: append-only and hash-chained."""

    async def write(self, entry: Entry, *, stamp: str | None = None) -> int | None:
        """Append durably, return the row's number; None, and nothing written, if the stamp was seen before.

        A stamp is the network's own id of a message, keyed with its sender; it is remembered for 24 h.
        """

    def note(self, entry: Entry) -> None:
        """Append within a second, in a batch: for what only reads."""

    async def recent(self, count: int) -> tuple[Row, ...]:
        """Return the newest rows, the newest first."""

    async def verify(self, head: str | None = None) -> Verdict:
        """Recompute the whole chain and name the first fault."""


Dispatch = Callable[[Event], Awaitable[None]]
"""Hands a committed event to its handlers."""


class Links(Protocol):
    """All network connections together."""

    def status(self) -> tuple[LinkStatus, ...]:
        """Return what each connection is like now."""


A = TypeVar("A")


class Ask(Protocol):
    """How a plugin asks the others; one that fails or is too slow is left out of the answers."""

    async def __call__(self, question: Inquiry[A]) -> tuple[A, ...]:
        """Return every answer; that nobody answers is normal."""


class Registrar(Protocol):
    """Writes to the roster, each inside a transaction with its audit row; `by` is who does it.

    Conflict where the roster does not allow it: a name that is taken, a bound identity, the last admin.
    """

    def identity(self, text: str) -> Identity:
        """Read NETWORK:SUBJECT; Usage names what is wrong with it."""

    def add_member(self, tx: Tx, name: str, role: Role, share: Share, by: str) -> Member:
        """Add a member."""

    def set_member(self, tx: Tx, member: Member, field: str, value: str, by: str) -> Member:
        """Change role, share, standing, zone, reach or quiet; Usage where the value does not fit."""

    def remove_member(self, tx: Tx, member: Member, by: str) -> None:
        """Remove a member and their identities; Conflict while they own machines."""

    def bind(self, tx: Tx, member: Member, identity: Identity, by: str) -> None:
        """Give a member an identity that nobody has."""

    def unbind(self, tx: Tx, member: Member, identity: Identity, by: str) -> None:
        """Take an identity away from a member; NotFound if it is not theirs."""

    def offer_link(self, tx: Tx, member: Member, code: str) -> None:
        """Remember, hashed, a code that binds one identity within 10 minutes."""

    def redeem_link(self, tx: Tx, code: str, identity: Identity) -> Member:
        """Bind the unbound identity that says a code; Expired for a code that is wrong, used or too old."""
