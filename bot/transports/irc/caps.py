"""Which capabilities are in force (https://ircv3.net/specs/extensions/capability-negotiation). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

WANTED = (
    "message-tags",
    "server-time",
    "account-tag",
    "account-notify",
    "extended-join",
    "echo-message",
    "multi-prefix",
    "userhost-in-names",
    "cap-notify",
    "batch",
    "chghost",
    "labeled-response",
    "setname",
)
"""What is asked for wherever it is offered; `sasl` comes on top where there is an account to log in to."""

_MOST = 500
"""How many capabilities a server may offer before the rest is ignored."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one CAP line changes: lines to send, and which capabilities came and went."""

    send: tuple[str, ...] = ()
    gained: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


@dataclass(slots=True)
class Caps:
    """What is wanted, offered (by value), in force, and asked for but not yet answered."""

    wanted: tuple[str, ...] = WANTED
    offered: dict[str, str] = field(default_factory=dict)
    acked: set[str] = field(default_factory=set)
    _requests: list[set[str]] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)
    _listed: bool = False

    @property
    def settled(self) -> bool:
        """Whether the list is complete and every request is answered."""
        return self._listed and not self._requests

    def feed(self, params: Sequence[str]) -> Step:
        """Take the parameters of one CAP line from the server: `* LS * :multi-prefix sasl=PLAIN`."""
        verb = params[1].upper() if len(params) > 1 else ""
        names = params[-1].split(" ") if len(params) > 2 else []  # noqa: PLR2004 - target and verb come first
        names = [name for name in names if name]
        match verb:
            case "LS":
                return self._list(names, more=len(params) > 3 and params[2] == "*")  # noqa: PLR2004 - the marker's place
            case "NEW":
                self._refused.difference_update(name.partition("=")[0] for name in names)
                self._offer(names)
                return self._request()
            case "DEL":
                return self._withdraw(names)
            case "ACK":
                return self._ack(names)
            case "NAK":
                return self._nak(names)
            case _:
                return Step()

    def _list(self, names: list[str], *, more: bool) -> Step:
        self._offer(names)
        self._listed = self._listed or not more
        return Step() if more else self._request()

    def _offer(self, names: list[str]) -> None:
        for name, _, value in (item.partition("=") for item in names):
            if name in self.offered or len(self.offered) < _MOST:
                self.offered[name] = value

    def _request(self) -> Step:
        done = self.acked.union(self._refused, *self._requests)
        names = [name for name in self.wanted if name in self.offered and name not in done]
        if not names:
            return Step()
        self._requests.append(set(names))
        return Step((f"CAP REQ :{' '.join(names)}",))

    def _answered(self, names: Iterable[str]) -> set[str] | None:
        """Return the oldest request that an answer can be meant for; what is left of it still waits."""
        return next((request for request in self._requests if request.intersection(names)), None)

    def _ack(self, names: list[str]) -> Step:
        lost = self.acked.intersection(name[1:] for name in names if name.startswith("-"))
        gained: set[str] = set()
        if (request := self._answered(names)) is not None:
            gained = request.intersection(names)
            request -= gained
            self._requests = [left for left in self._requests if left]
        self.acked = (self.acked | gained) - lost
        return Step(gained=frozenset(gained), lost=frozenset(lost))

    def _nak(self, names: list[str]) -> Step:
        # what is refused is the whole request, and the answer may be cut: each name gets its own chance once
        request = self._answered(names)
        if request is None:
            return Step()
        self._requests.remove(request)
        if len(request) == 1:
            self._refused |= request
            return Step()
        singles = [name for name in self.wanted if name in request]
        self._requests.extend({name} for name in singles)
        return Step(tuple(f"CAP REQ :{name}" for name in singles))

    def _withdraw(self, names: list[str]) -> Step:
        gone = {name.partition("=")[0] for name in names}
        for name in gone:
            self.offered.pop(name, None)
        self._requests = [left for request in self._requests if (left := request - gone)]
        lost = gone & self.acked
        self.acked -= gone
        return Step(lost=frozenset(lost))
