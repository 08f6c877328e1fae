"""The values that travel the road of a message. Nothing here touches the world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal

from bot.coop.charts import Chart
from bot.coop.events import Event
from bot.coop.people import Member, Role


class IdentityKind(StrEnum):
    """How a network proves who speaks."""

    IRC_ACCOUNT = "irc-account"
    XMPP_JID = "xmpp-jid"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the network itself vouches for: a services account or a bare JID, in the network's folded form."""

    network: str
    kind: IdentityKind
    subject: str

    def __str__(self) -> str:
        return f"{self.network}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Place:
    """A room, or a direct conversation with whoever has that name on the network now."""

    network: str
    name: str
    direct: bool = False

    def __str__(self) -> str:
        return f"{self.network}/{self.name}"


@dataclass(frozen=True, slots=True)
class Message:
    """One line that was said to the bot.

    `text` has lost the prefix or the bot's nick; `named` tells that it was said by nick or directly.
    `identity` is None where the network proves nothing. `stamp` is the server's own id of the message, None
    where it gives none. `replayed` marks history, which is never a command.
    """

    place: Place
    nick: str
    text: str
    at: datetime
    identity: Identity | None = None
    stamp: str | None = None
    replayed: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """One line that somebody said in a room, not to the bot; `action` tells that it was said as /me.

    `text` is cleaned; of a /me it is what was done. Nothing in it is ever a command. `named` are those in
    that room whose nicks stand in it. `more` counts lines of theirs that were left out, as they came too
    fast; the remark that tells so has no text.
    """

    place: Place
    nick: str
    text: str
    action: bool = False
    named: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Relayed:
    """A line to be passed on to a room now or never: it is in no outbox, and dropped where it cannot go.

    Those of `hushed` who are in that room are not called by it: their nicks are written so that no client
    takes them for a mention.
    """

    to: Place
    line: str
    hushed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormField:
    """One parameter of a command, for a form: its name, what it is, and whether it must be filled in.

    `choices` are the words that it can be, none where any text will do; `rest` tells that it takes the rest
    of the line, `private` that its words are not to be shown again.
    """

    name: str
    label: str
    required: bool
    choices: tuple[str, ...] = ()
    rest: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A command that somebody may use, for clients that show forms.

    `reserved` are the words that cannot stand first behind it, as they would make it another command.
    `reads` tells that it changes nothing.
    """

    command: str
    summary: str
    fields: tuple[FormField, ...] = ()
    reserved: frozenset[str] = frozenset()
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """Who speaks, after the roster has looked the identity up; `role` is GUEST for everyone unproven."""

    member: Member | None = None
    role: Role = Role.GUEST

    def __str__(self) -> str:
        return self.member.name if self.member else "a guest"


@dataclass(frozen=True, slots=True)
class Call:
    """A command on its way: who asked it where, and the converted words by parameter name."""

    message: Message
    actor: Actor
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the speaker is answered: lines, whether only to them, a picture for networks that show pictures.

    The picture is a PNG, or a chart that is drawn while the lines go out; the lines say all that it shows.
    `question` is the number of the question that it asks, if the speaker themselves can answer it.
    """

    lines: tuple[str, ...] = ()
    private: bool = False
    picture: bytes | Chart | None = None
    question: int | None = None

    @classmethod
    def of(cls, answer: "str | Reply | None") -> "Reply":
        """Make a reply of what a handler returned; a text is split into its lines."""
        match answer:
            case None:
                return cls()
            case Reply():
                return answer
            case _:
                return cls(tuple(answer.splitlines()))


class Urgency(IntEnum):
    """In which order what waits for one network goes out."""

    CHATTER = 0
    NEWS = 1
    ALERT = 2


Group = Literal["team", "alerts", "admins"]
"""The places of the config that every co-op has."""

Manner = Literal["plain", "elsewhere", "patient"]
"""How a member is told directly: where they are reached usually, or first on another network than that one;
what is patient waits for the end of their quiet hours. To a place all are one.
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said elsewhere, of the bot's own accord.

    `key` names what it is about: a later notice with the same key to the same place replaces one that still
    waits. One not delivered by `expires` is dropped and counted; None waits for ever. Quiet hours hold back
    what is patient, and nothing else.
    """

    to: Place | Member | Group
    lines: tuple[str, ...]
    urgency: Urgency = Urgency.NEWS
    key: str | None = None
    expires: datetime | None = None
    manner: Manner = "plain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a handler, a job or an event handler may return."""

    reply: Reply = field(default_factory=Reply)
    notices: tuple[Notice, ...] = ()
    events: tuple[Event, ...] = ()

    @classmethod
    def of(cls, answer: "str | Reply | Outcome | None") -> "Outcome":
        """Make an outcome of what a handler returned."""
        return answer if isinstance(answer, Outcome) else cls(Reply.of(answer))


@dataclass(frozen=True, slots=True)
class Question:
    """A command that waits for a yes.

    `second` tells that it needs another member, an admin; else the asker, same identity and place.
    """

    number: int
    command: str
    text: str
    call: Call
    words: str
    second: bool
    expires: datetime
