"""What the tour shows, step by step. Answers are regular expressions that lines of the bot must match."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.demo.coop import Coop

STRANGER = "vogon"
"""Somebody without an account."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one person says in the room, and what must come; `{number}` stands for what answers named so."""

    who: str
    says: str
    answers: tuple[str, ...]
    seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the tour shows."""

    title: str
    lines: Sequence[Line] = field(default=())


def script(coop: Coop) -> tuple[Step, ...]:
    """Return the tour through a co-op whose seat is an admin's with a machine, and that has another admin."""
    one = coop.seat
    own = next(machine.name for machine in coop.machines if machine.owner == one)
    others = coop.booted
    direct, owner = "answered in a direct message", coop.machine(others).owner or one
    admin = next(member.name for member in coop.members if member.is_admin and member.name != one)
    return (
        Step("Who am I? The server vouches for the account, never the nick.", (
            Line(one, "!whoami", (f"^You are {one}, admin",)),
            Line(STRANGER, "!whoami", ("^You are a guest",)),
        )),
        Step("What is there?", (
            Line(owner, "!vm list", (f"{own} stopped.*{others} running",)),
        )),
        Step("A guest boots.", (
            Line(one, f"!vm start {own}", (f"^{own} is up on {coop.host}",), 90.0),
        )),
        Step("A command in the guest; only its owner may, and hears the answer directly.", (
            Line(one, f"!vm run {own} uname -a", (rf"^\[{own}\] Linux ", direct), 40.0),
        )),
        Step("A stranger is refused.", (
            Line(STRANGER, f"!vm stop {own}", ("^Only the owner of the machine or admins may vm stop",)),
        )),
        Step("Stopping asks first.", (
            Line(one, f"!vm stop {own}", (rf"^Stop {own} on {coop.host}\? Say !yes",)),
            Line(one, "!yes", (f"^{own} is down",), 60.0),
        )),
        Step("To kill another's machine takes a second admin.", (
            Line(one, f"!vm kill {others}", (r"another admin's yes: !yes (?P<number>\d+)",)),
            Line(one, "!yes {number}", ("another admin's yes, not yours",)),
            Line(admin, "!yes {number}", (f"^{others} is dead",), 40.0),
        )),
        Step("A post comes in time, marked as its author's.", (
            Line(owner, "!post add in 2s | Tea is ready.", (r"^Post \d+ to #", rf"^\[{owner}\] Tea is")),
        )),
        Step("All of it stands in the audit book, whose chain nobody rewrites unseen.", (
            Line(admin, "!audit verify", (r"^The audit book is whole: \d+ rows",)),
        )),
    )  # fmt: skip
