"""The roster: who belongs to the co-op, and by which identities they are known."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot import (
    Actor,
    Clock,
    Conflict,
    Entropy,
    Identity,
    IdentityBound,
    Member,
    Message,
    NotAllowed,
    NotFound,
    Notice,
    Outcome,
    Plugin,
    Registrar,
    Reply,
    Role,
    Roster,
    Share,
    Store,
    Tx,
    admins,
    anyone,
    counted,
    members,
    quoted,
)

plugin = Plugin("members")
CODE_BITS = 64
KEPT = timedelta(days=30)
TAKEN_BACK = {"-", "off"}
Field = Literal["role", "share", "standing"]
Value = Literal["member", "admin", "full", "half", "good", "suspended"]


@dataclass(frozen=True, slots=True)
class Known:
    """A member's own identities on one network."""

    member: Member
    identities: tuple[Identity, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.identities))


@plugin.converter(Identity, example="oftc:alice")
async def to_identity(word: str, registrar: Registrar) -> Identity:
    """Read NETWORK:SUBJECT."""
    return registrar.identity(word)


@plugin.converter(Known, example="oftc")
async def to_known(word: str, actor: Actor, roster: Roster) -> Known:
    """Find by what the speaker is known on a network."""
    member = _member(actor)
    found = tuple(one for one in await roster.identities(member) if one.network == word.casefold())
    if not found:
        raise NotFound(f"You are not known on {quoted(word)}; !whoami names where you are.")
    return Known(member, found)


@plugin.command("member list", allow=members, reads=True)
async def member_list(roster: Roster) -> str:
    """List the members."""
    found = await roster.members()
    shown = ", ".join(f"{m.name}{' (admin)' if m.role is Role.ADMIN else ''}{_standing(m)}" for m in found)
    return f"{counted(len(found), 'member')}: {shown}."


@plugin.command("member show", allow=members, reads=True)
async def member_show(roster: Roster, member: Member) -> str:
    """Show a member's role, share, standing and identities."""
    identities = ", ".join(str(identity) for identity in await roster.identities(member)) or "none"
    machines = ", ".join(m.name for m in await roster.machines() if m.owner == member.name) or "none"
    since = f", since {member.joined:%Y-%m-%d}" if member.joined else ""
    standing = f", {member.standing.value} standing" if member.standing.value == "good" else _standing(member)
    return (
        f"{member.name}: {member.role.value}, {member.share.value} share{standing}{since}; "
        f"identities: {identities}; machines: {machines}."
    )


@plugin.command("member add", allow=admins)
async def member_add(
    store: Store,
    registrar: Registrar,
    actor: Actor,
    name: str,
    role: Literal["member", "admin"] = "member",
    share: Share = Share.FULL,
) -> str:
    """Add a member; they are known once they have an identity."""
    by = str(actor)
    member = await store.write(lambda tx: registrar.add_member(tx, name, Role(role), share, by))
    what = f"{'an admin' if member.role is Role.ADMIN else 'a member'} with a {member.share.value} share"
    return f"{member.name} is {what}. Next: !member identity {member.name} NETWORK:SUBJECT"


@plugin.command("member identity", allow=admins)
async def member_identity(
    store: Store, registrar: Registrar, actor: Actor, member: Member, identity: Identity
) -> str:
    """Bind a proven account or JID to a member."""
    await store.write(lambda tx: registrar.bind(tx, member, identity, str(actor)))
    return f"{member.name} is known as {identity} from now on."


async def may_unlink(store: Store, registrar: Registrar, member: Member, identity: Identity) -> None:
    """Refuse to take away what a member does not have."""
    await store.read(lambda db: registrar.may_unbind(db, member, identity))


@plugin.command(
    "member unlink",
    allow=admins,
    confirm="Take {identity} away from {member.name}?",
    check=may_unlink,
)
async def member_unlink(
    store: Store, registrar: Registrar, actor: Actor, member: Member, identity: Identity
) -> str:
    """Take an identity away from a member."""
    await store.write(lambda tx: registrar.unbind(tx, member, identity, str(actor)))
    return f"{member.name} is no longer known as {identity}."


async def may_set(store: Store, registrar: Registrar, member: Member, field: Field, value: Value) -> None:
    """Refuse a value that the field cannot have, and to take the last admin away."""
    await store.read(lambda db: registrar.may_set_member(db, member, field, value))


@plugin.command("member set", allow=admins, confirm="Set {member.name}'s {field} to {value}?", check=may_set)
async def member_set(
    store: Store, registrar: Registrar, actor: Actor, member: Member, field: Field, value: Value
) -> str:
    """Change a member's role, share or standing."""
    await store.write(lambda tx: registrar.set_member(tx, member, field, value, str(actor)))
    return f"{member.name}'s {field} is {value}."


async def may_remove(store: Store, registrar: Registrar, member: Member) -> None:
    """Refuse to remove an owner of machines, and the last admin."""
    await store.read(lambda db: registrar.may_remove_member(db, member))


@plugin.command(
    "member remove",
    allow=admins,
    confirm="Remove {member.name} from the co-op's roster?",
    check=may_remove,
)
async def member_remove(store: Store, registrar: Registrar, actor: Actor, member: Member) -> str:
    """Remove a member who owns no machine any more."""
    await store.write(lambda tx: registrar.remove_member(tx, member, str(actor)))
    return f"{member.name} is no member any more."


@plugin.command("link", allow=anyone, private=("code",), limit="5/10m")
async def link(
    message: Message,
    actor: Actor,
    store: Store,
    registrar: Registrar,
    entropy: Entropy,
    code: str | None = None,
) -> Reply:
    """Get a code that binds another identity to you, or say one."""
    if code is None:
        return await _offer(actor, store, registrar, entropy)
    identity = message.identity
    if identity is None:
        raise NotAllowed(
            f"{message.place.network} proves nothing about you; log in to your account there first."
        )
    if actor.member is not None:
        raise Conflict(f"{identity} is bound to {actor.member.name} already.")
    member = await store.write(lambda tx: registrar.redeem_link(tx, code, identity))
    return Reply.of(f"Welcome, {member.name}: you are known as {identity} from now on.")


async def _offer(actor: Actor, store: Store, registrar: Registrar, entropy: Entropy) -> Reply:
    if actor.role is Role.GUEST:
        raise NotAllowed("Only members get a code; say !link where you are known, then !link CODE here.")
    member, code = _member(actor), entropy.token(CODE_BITS)
    await store.write(lambda tx: registrar.offer_link(tx, member, code))
    text = f"Say this within 10 minutes, once, where I do not know you yet: !link {code}"
    return Reply((text,), private=True)


@plugin.command("unlink", allow=members, confirm="Forget that {network} is you?")
async def unlink(store: Store, registrar: Registrar, network: Known) -> str:
    """Take back your own identities on a network."""

    def take_back(tx: Tx) -> None:
        for identity in network.identities:
            registrar.unbind(tx, network.member, identity, network.member.name)

    await store.write(take_back)
    return f"You are no longer known as {network}."


@plugin.command("set", allow=members)
async def set_own(
    store: Store,
    registrar: Registrar,
    roster: Roster,
    actor: Actor,
    field: Literal["zone", "reach", "quiet"],
    value: str,
) -> str:
    """Set your time zone, the network to reach you on, or your quiet hours; off takes it back."""
    member = _member(actor)
    if field == "reach" and value.casefold() not in TAKEN_BACK:
        await to_known(value, actor, roster)
    after = await store.write(lambda tx: registrar.set_member(tx, member, field, value, member.name))
    return f"Your {field} is {getattr(after, field) or 'not set'}."


@plugin.on(IdentityBound)
async def tell(event: IdentityBound, roster: Roster, clock: Clock) -> Outcome:
    """Tell the member and the admins of every bind and unbind: nobody becomes somebody unseen."""
    what = "is now" if event.bound else "is no longer"
    text = f"{event.network}:{event.subject} {what} {event.member} (by {event.by})."
    now = clock.now()
    key, expires = f"identity {event.network}:{event.subject} {event.bound} {now:%Y-%m-%d}", now + KEPT
    notices = [Notice("admins", (text,), key=key, expires=expires)]
    if member := await roster.member(event.member):
        warned = (f"{text} If that was not you, tell an admin.",)
        notices.append(Notice(member, warned, key=key, expires=expires))
    return Outcome(notices=tuple(notices))


def _member(actor: Actor) -> Member:
    if actor.member is None:
        raise NotAllowed("Only members have identities and settings.")
    return actor.member


def _standing(member: Member) -> str:
    return "" if member.standing.value == "good" else f", {member.standing.value}"
