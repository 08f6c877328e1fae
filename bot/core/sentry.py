"""Watches who is refused: somebody who goes by a member's name unproven, or guesses at codes.

A nick proves nothing, so nothing of this could have worked; but the admins want to know that it was tried.
Only names of members who can prove themselves on that network count: where nobody can, nobody is an impostor.
"""

from dataclasses import dataclass

from bot.coop.people import Member
from bot.coop.quotes import quoted
from bot.core.errand import Asked
from bot.core.lookalikes import looks
from bot.errors import Expired, NotAllowed, Refusal
from bot.model import Message
from bot.ports import Alarms, Roster

CODES = "link"
"""The command that takes a code."""


@dataclass(frozen=True, slots=True)
class Sentry:
    """Tells the admins of what was refused and looks like an attempt; each name is one cause."""

    roster: Roster
    alarms: Alarms

    async def refused(self, asked: Asked, refusal: Refusal) -> None:
        """Look at a refused command; only guests' are of interest."""
        if asked.actor.member is not None:
            return
        if isinstance(refusal, Expired) and asked.bound.name == CODES:
            self._tell(asked.message, "said a wrong code to !link")
        elif isinstance(refusal, NotAllowed) and not asked.bound.allow.may(asked.actor):
            member = await self._meant(asked.message)
            if member is not None:
                what = f"goes by the name of {member} and was refused {asked.bound.name}"
                self._tell(asked.message, f"{what}: an impostor, or {member} is not logged in")

    async def again(self, asked: Asked) -> None:
        """Tell of a message whose id its network had given to an earlier one: it was left undone."""
        self._tell(asked.message, f"sent {asked.bound.name} with the id of an earlier message; left undone")

    def _tell(self, message: Message, what: str) -> None:
        who, network = message.identity or quoted(message.nick), message.place.network
        on = "" if message.identity else f" on {network}"
        self.alarms.warn(f"attempt by {looks(message.nick)} on {network}", f"{who}{on} {what}.")

    async def _meant(self, message: Message) -> Member | None:
        """Return the member whose name somebody goes by, or whose account's."""
        names = {looks(message.nick), looks(message.nick.partition("@")[0])}
        if message.identity:
            names.add(looks(message.identity.subject.partition("@")[0]))
        for member in await self.roster.members():
            known = await self.roster.identities(member)
            here = [one.subject.partition("@")[0] for one in known if one.network == message.place.network]
            if here and not names.isdisjoint(map(looks, (member.name, *here))):
                return member
        return None
