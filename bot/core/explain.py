"""Explains beforehand why a member may, or may not, use a command."""

from dataclasses import dataclass

from bot.coop.people import Member, Role, Standing
from bot.coop.quotes import quoted
from bot.core.binding import Services
from bot.core.registry import Registry
from bot.errors import NotFound, Refusal
from bot.model import Actor, Call, Message


@dataclass(slots=True)
class Explainer:
    """Weighs a command's rule for any member without running it. `services` may still grow."""

    registry: Registry
    services: Services

    async def explain(self, member: Member, line: str, message: Message) -> str:
        """Return a sentence that names the rule; NotFound for no command of ours."""
        found = self.registry.find(line)
        if found is None:
            raise NotFound(f"I know no {quoted(line)}; {self.registry.prefix}help tells what there is.")
        bound, words = found
        role = member.role if member.standing is Standing.GOOD else Role.GUEST
        actor = Actor(member, role)
        subject = f"{bound.name} {words}".rstrip()
        if not bound.allow.may(actor):
            return f"{member.name} may not {subject}: only {bound.allow} may; {member.name} is a {role}."
        if not words and bound.allow.parameters:
            return f"{member.name} may {bound.name} as far as this holds: {bound.allow}."
        call = Call(message, actor)
        services = {**self.services, Call: call, Message: message, Actor: actor}
        try:
            values = await bound.converter.convert(words, services)
        except Refusal as refusal:
            return f"{member.name} may {bound.name} as far as this holds: {bound.allow}. But: {refusal}"
        if bound.allow.allows(actor, values):
            return f"{member.name} may {subject}: {bound.allow} may."
        return f"{member.name} may not {subject}: only {bound.allow} may."
