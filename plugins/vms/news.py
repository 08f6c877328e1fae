"""Tells of machines that changed without being asked to."""

from datetime import timedelta

from bot import MachineChanged, MachineEventKind, Member, Notice, Outcome, Roster, Urgency
from plugins.vms import texts
from plugins.vms.declared import plugin

KEPT = timedelta(days=2)
TAIL = 5
"""How many of its last lines its owner is told unasked; `!vm console` has more."""


@plugin.on(MachineChanged)
async def tell(event: MachineChanged, roster: Roster) -> Outcome:
    """Tell the owner, and the team where it is about everybody's host."""
    if event.asked or event.kind is MachineEventKind.READY:
        return Outcome()
    machine = await roster.machine(event.machine)
    owner = await roster.member(machine.owner) if machine and machine.owner else None
    if event.kind is MachineEventKind.NOTICE:
        return Outcome(notices=_said(event, owner))
    text = texts.news(event)
    key, expires = f"vm {event.machine} {event.at.isoformat()}", event.at + KEPT
    tail = texts.marked(event.machine, event.tail[-TAIL:])
    team = Notice("team", (text,), Urgency.ALERT, key, expires)
    told = Notice(owner or "admins", (text, *tail), Urgency.ALERT, key, expires)
    return Outcome(notices=(team, told))


def _said(event: MachineChanged, owner: Member | None) -> tuple[Notice, ...]:
    lines = texts.marked(event.machine, (event.text,))
    return (Notice(owner or "admins", lines, Urgency.CHATTER, f"vm {event.machine} said", event.at + KEPT),)
