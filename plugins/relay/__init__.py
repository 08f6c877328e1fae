"""Makes rooms on several networks one conversation."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from bot import Links, Place, Plugin, Relayed, Remark, StatusPart, counted
from plugins.relay import grammar


def _once_each(groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    rooms = [room for group in groups for room in group]
    if lonely := [group for group in groups if len(group) < 2]:  # noqa: PLR2004 - who talks to whom
        raise ValueError(f"[{', '.join(lonely[0])}] is no conversation: it takes two rooms or more")
    for room in rooms:
        if not all(room.partition("/")):
            raise ValueError(f"{room} is no room, write it as network/room")
        if rooms.count(room) > 1:
            raise ValueError(f"{room} is there twice; a room is in one conversation")
    return groups


class Settings(BaseModel):
    """`[plugins.relay]`: each group of rooms is one conversation; without any nothing is relayed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rooms: Annotated[tuple[tuple[str, ...], ...], AfterValidator(_once_each)] = ()

    def heard(self) -> tuple[str, ...]:
        """Return every room of every group."""
        return tuple(room for group in self.rooms for room in group)

    def others(self, room: str) -> tuple[Place, ...]:
        """Return the other rooms of a room's group."""
        group = next((group for group in self.rooms if room in group), ())
        pairs = (other.split("/", 1) for other in group if other != room)
        return tuple(Place(network, name) for network, name in pairs)


plugin = Plugin("relay", Settings)


@plugin.hears(Settings.heard)
async def relay(remark: Remark, settings: Settings) -> tuple[Relayed, ...]:
    """Pass on what is said in one room to the others of its group, marked with who said it where.

    The mark stays whole, so that people and programs read the same name; only mentions are hushed.
    """
    lines, speaker = grammar.marked(remark), remark.nick.casefold()
    hushed = tuple(name for name in remark.named if name.casefold() != speaker)
    return tuple(Relayed(to, line, hushed) for to in settings.others(str(remark.place)) for line in lines)


@plugin.answers(StatusPart)
async def status_part(_: StatusPart, settings: Settings, links: Links) -> str | None:
    """Count the conversations, and what could not be passed on."""
    if not settings.rooms:
        return None
    dropped = sum(link.dropped for link in links.status())
    lost = f", {counted(dropped, 'line')} dropped" if dropped else ""
    return f"relay: {counted(len(settings.rooms), 'conversation')}{lost}"
