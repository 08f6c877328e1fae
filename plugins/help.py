"""Tells who one is, what one may do, and how the ship is."""

from bot import (
    About,
    Actor,
    Ask,
    Clock,
    Links,
    LinkStatus,
    Member,
    Message,
    NotFound,
    Plugin,
    Registry,
    Roster,
    StatusPart,
    anyone,
    detail,
    group,
    overview,
    quoted,
    span,
)

plugin = Plugin("help")


@plugin.command("help", allow=anyone, reads=True)
async def help_(actor: Actor, registry: Registry, *, command: str = "") -> str:
    """Tell what you may do, or how one command is used."""
    line = command.removeprefix(registry.prefix).strip()
    if not line:
        return "\n".join(overview(registry, actor))
    found = registry.find(line)
    if found is not None:
        return "\n".join(detail(found[0], registry.prefix))
    if bounds := registry.group(line, actor):
        return "\n".join(group(bounds, registry.prefix))
    near = registry.nearest(line, actor)
    raise NotFound(
        f"I know no {quoted(line)}; "
        + (f"did you mean {registry.prefix}{near.name}?" if near else "see !help.")
    )


@plugin.command("whoami", allow=anyone, reads=True)
async def whoami(message: Message, actor: Actor, roster: Roster, about: About) -> str:
    """Tell how you are proven, and what you are to the co-op."""
    proof = f"{message.identity.kind.value} {message.identity}" if message.identity else ""
    if actor.member is not None:
        return await _of_member(actor.member, proof, roster)
    if not message.identity:
        return (
            f"You are a guest: {message.place.network} proves nothing about “{message.nick}”. "
            "Log in to your account there, then say !whoami again."
        )
    if any(member.is_admin for member in await roster.members()):
        return f"You are a guest, proven as {proof}. If you are known elsewhere, say !link there for a code."
    return (
        f"You are a guest, proven as {proof}. There is no admin yet; on the host's shell you become one by: "
        + about.admin_command(message.identity.subject, str(message.identity))
    )


async def _of_member(member: Member, proof: str, roster: Roster) -> str:
    identities = ", ".join(str(identity) for identity in await roster.identities(member))
    state = "" if member.standing.value == "good" else f", {member.standing.value}: a guest until that ends"
    what = f"{member.role.value}, {member.share.value} share{state}"
    return f"You are {member.name}, {what}; proven as {proof}; known as {identities}."


@plugin.command("ping", allow=anyone, reads=True)
async def ping(*, word: str = "") -> str:
    """Answer, to show that the bot is there."""
    return f"pong {word[:200]}".rstrip()


@plugin.command("about", allow=anyone, reads=True)
async def about_(about: About, clock: Clock, links: Links) -> str:
    """Tell the version, the uptime and the networks."""
    up = span((clock.now() - about.started).total_seconds())
    networks = "; ".join(_link(status) for status in links.status()) or "no network"
    return f"{about.nick}, shipboard {about.version}, up {up}; {networks}."


@plugin.command("status", allow=anyone, reads=True)
async def status(ask: Ask, links: Links) -> str:
    """Tell in one line how everything is."""
    states = links.status()
    up = sum(state.up for state in states)
    parts = [part for part in await ask(StatusPart()) if part]
    down = [f"{state.network} down" for state in states if not state.up]
    return "; ".join([*parts, f"networks: {up} of {len(states)} up", *down]) + "."


def _link(state: LinkStatus) -> str:
    account = f", account {state.account}" if state.account else ""
    detail = f": {state.detail}" if state.detail else ""
    return f"{state.network} {'up' if state.up else 'down'} as {state.nick}{account}{detail}"
