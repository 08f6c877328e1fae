"""What the tour shows, step by step. Answers are regular expressions that lines of the bot must match."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.demo.coop import JABBER, Coop

STRANGER = "vogon"
"""Somebody without an account."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one person says in the room, and what must come; `{number}` in them is what answers named so.

    A person called `NAME@jabber` is a member in the Jabber room. `heard_by` is who must hear the answers, if
    that is another; `form`: it is no line that is said, but a command of which the bot is asked for the form.
    """

    who: str
    says: str
    answers: tuple[str, ...]
    seconds: float = 20.0
    heard_by: str = ""
    form: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the tour shows."""

    title: str
    lines: Sequence[Line] = field(default=())


def script(coop: Coop, *, jabber: bool = False) -> tuple[Step, ...]:
    """Return the tour, on both networks or on IRC alone; the seat is an admin's, and there is another one."""
    one, others = coop.seat, coop.booted
    own = next(machine.name for machine in coop.machines if machine.owner == one)
    direct, owner = "answered in a direct message", coop.machine(others).owner or one
    admin = next(member.name for member in coop.members if member.is_admin and member.name != one)
    second = f"{admin}@{JABBER}" if jabber else admin
    return (
        Step("Who am I? The server vouches for the account, never the nick.", (
            Line(one, "!whoami", (f"^You are {one}, admin",)),
            Line(STRANGER, "!whoami", ("^You are a guest",)),
        )),
        Step("What is there?", (Line(owner, "!vm list", (f"{own} stopped.*{others} running",)),)),
        *(_on_jabber(coop) if jabber else ()),
        Step("A guest boots.", (
            Line(one, f"!vm start {own}", (f"^{own} is up on {coop.host}",), 90.0),
        )),
        Step("A command in the guest; only its owner may, and hears the answer directly.", (
            Line(one, f"!vm run {own} uname -a", (rf"^\[{own}\] Linux ", direct), 40.0),
        )),
        Step("A post comes in time, marked as its author's.", (
            Line(owner, "!post add in 2s | Tea is ready.", (r"^Post \d+ to #", rf"^\[{owner}\] Tea is")),
        )),
        _busy(own, one, f"{_away(coop)}@{JABBER}" if jabber else ""),
        Step("A stranger is refused.", (
            Line(STRANGER, f"!vm stop {own}", ("^Only the owner of the machine or admins may vm stop",)),
        )),
        Step("Stopping asks first.", (
            Line(one, f"!vm stop {own}", (rf"^Stop {own} on {coop.host}\? Say !yes",)),
            Line(one, "!yes", (f"^{own} is down",), 60.0),
        )),
        Step(f"To kill another's machine takes a second admin{', from any network' if jabber else ''}.", (
            Line(one, f"!vm kill {others}", (r"another admin's yes: !yes (?P<number>\d+)",)),
            Line(one, "!yes {number}", ("another admin's yes, not yours",)),
            Line(second, "!yes {number}", (f"^{others} is dead",), 40.0),
        )),
        _decided(coop, f"{_away(coop)}@{JABBER}" if jabber else _away(coop)),
        Step("All of it stands in the audit book, whose chain nobody rewrites unseen.", (
            Line(admin, "!audit verify", (r"^The audit book is whole: \d+ rows",)),
        )),
    )  # fmt: skip


def _busy(machine: str, owner: str, far: str) -> Step:
    """Return how a guest that does too much is told of, taken care of and calmed; its owner is an admin.

    With somebody `far` away on Jabber, they hear it too.
    """
    work, calm = f"!vm run {machine} yes > /dev/null 2>&1 &", f"!vm run {machine} killall yes"
    begun, over = (
        rf"^(?P<alert>A\d+) WARN {machine} CPU ",
        f"^{{alert}} over: {machine} CPU .*; {owner} had it",
    )
    return Step("A guest that takes too much is told of in all rooms, until it is over.", (
        Line(owner, work, (begun,), 60.0, heard_by=far),
        Line(owner, "!ack {alert}", ("^{alert} is yours until ",)),
        Line(owner, calm, (over,), 60.0),
    ))  # fmt: skip


def _decided(coop: Coop, last: str) -> Step:
    """Return a motion from its proposal to its certificate; it closes when the last of all has voted."""
    *others, _ = (member.name for member in coop.members)
    proposer, seconder = others[-1], others[0]
    ayes = (Line(who, "!vote {vote} yes", (f"^Recorded: vote {{vote}}, yes by {who}",)) for who in others)
    passed = f"^VOTE {{vote}} PASSED: yes {len(others)}, no 1"
    return Step("The co-op decides: one vote a member, wherever, and a certificate of what came of it.", (
        Line(proposer, "!propose policy Buy 8 GiB RAM | As we swap.", (r"^Motion (?P<vote>\d+) ",)),
        Line(seconder, "!second {vote}", ("^VOTE {vote} open: ",)),
        *ayes,
        Line(last, "!vote {vote} no", ("^Recorded: vote {vote}, no ", passed)),
        Line(proposer, "!vote cert {vote}", ("^MOTION {vote} PASSED: Buy 8 GiB RAM",)),
    ))  # fmt: skip


def _away(coop: Coop) -> str:
    """Return somebody who is on Jabber and not on IRC."""
    return coop.members[-1].name


def _on_jabber(coop: Coop) -> tuple[Step, ...]:
    """Return what two rooms on two networks have to show; somebody is there who is not on IRC."""
    there = _away(coop)
    away, far = coop.seat, f"{there}@{JABBER}"
    listed = (f"{coop.booted} running",)
    return (
        Step("The channel and the Jabber room are one conversation, marked with who said it where.", (
            Line(far, "Good morning from Jabber!", (f"^<{far}> Good morning from Jabber!",), heard_by=away),
            Line(away, "And from IRC.", (rf"^<{away}@irc> And from IRC\.",), heard_by=far),
        )),
        Step("On Jabber the address proves the member; commands and answers stay where they are.", (
            Line(far, "!whoami", (f"^You are {there}, ",)),
            Line(far, "!vm list", listed),
        )),
        Step("There each command is a form too, in any client that has them.", (
            Line(far, "vm list", listed, form=True),
        )),
    )  # fmt: skip
