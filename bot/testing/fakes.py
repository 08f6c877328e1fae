"""The parts of the world that are fake in every conversation."""

from dataclasses import dataclass, field
from itertools import count

from bot.core.plugin import Plugin
from bot.core.reload import Fresh
from bot.model import Group, Identity, Offer, Place, Relayed, Remark
from bot.ports import LinkStatus

NETWORK = "net"
TEAM = Place(NETWORK, "#team")


class FakeEntropy:
    """An Entropy that counts."""

    def __init__(self) -> None:
        self._count = count(1)

    def token(self, bits: int) -> str:
        """Return a text of that many bits at four a character, different each time."""
        return f"{next(self._count):0{bits // 4}x}"

    def uniform(self, low: float, high: float) -> float:  # noqa: ARG002 - always the same end
        """Return the lower end."""
        return low


@dataclass(slots=True)
class FakeIncidents:
    """Incidents and Alarms that are only kept."""

    reported: list[tuple[BaseException, str, bool]] = field(default_factory=list)
    warned: list[tuple[str, str]] = field(default_factory=list)

    def report(self, cause: BaseException, *, during: str, private: bool = False) -> str:
        """Keep a fault and return its number."""
        self.reported.append((cause, during, private))
        return f"{len(self.reported):04x}"

    def warn(self, cause: str, text: str, *, burst: int = 1) -> None:  # noqa: ARG002 - nothing is told here
        """Keep a warning."""
        self.warned.append((cause, text))


@dataclass(frozen=True, slots=True)
class FakeLinks:
    """One network that is up; `known` are the rooms that the bot belongs in, the team's and then others."""

    known: list[Place] = field(default_factory=lambda: [TEAM, Place(NETWORK, "#admins")])

    def status(self) -> tuple[LinkStatus, ...]:
        """Return its status."""
        return (LinkStatus(NETWORK, up=True, nick="Eddie", account="eddie", rooms=(TEAM.name,)),)

    def rooms(self, group: Group | None = None) -> tuple[Place, ...]:
        """Return the rooms of a group, or all."""
        return tuple(room for room in self.known if group is None or (room == TEAM) == (group == "team"))


@dataclass(frozen=True, slots=True)
class FakeLoudspeaker:
    """A Loudspeaker that keeps what was relayed; what goes to a place in `silent` is dropped."""

    relayed: list[Relayed] = field(default_factory=list)
    silent: set[Place] = field(default_factory=set)

    def pass_on(self, relayed: Relayed) -> bool:
        """Keep a relayed line, or drop it."""
        if relayed.to in self.silent:
            return False
        self.relayed.append(relayed)
        return True


@dataclass(frozen=True, slots=True)
class FakeCode:
    """Plugins that a test writes anew: what is reloaded is what stands in `written`; `kept` is what was."""

    written: dict[str, Plugin]
    kept: list[str] = field(default_factory=list)

    def fresh(self, name: str) -> Fresh:
        """Return what was written."""
        return Fresh(self.written[name], lambda: self.kept.append(name))


class QuietRoad:
    """What a road for the tests of transports has beside its `handle`: no ears, and nothing to offer."""

    def listens(self, place: Place) -> bool:  # noqa: ARG002 - whichever it is
        """Return that nobody wants to hear it."""
        return False

    def overhear(self, remark: Remark) -> None:
        """Let it pass."""

    async def offers(self, identity: Identity | None) -> tuple[Offer, ...]:  # noqa: ARG002 - whoever it is
        """Return nothing."""
        return ()
