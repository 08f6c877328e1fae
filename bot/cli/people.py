"""shipboard member add | identity | list."""

from argparse import Namespace

from bot.cli.basics import configured, say
from bot.cli.desk import by, reading, registrar, table, writing
from bot.coop.people import Role
from bot.coop.shares import Share
from bot.store import roster
from bot.store.registrar import find


def add(args: Namespace) -> int:
    """Take a person into the co-op, with what proves them."""
    config = configured(args)
    office = registrar(config)
    identities = tuple(dict.fromkeys(office.identity(text) for text in args.identity))
    with writing(config) as tx:
        member = office.add_member(tx, args.name, Role(args.role), Share(args.share), by())
        for proof in identities:
            office.bind(tx, member, proof, by())
    known = ", ".join(map(str, identities)) or "nothing yet: shipboard member identity binds what proves them"
    say(f"{member} is in the co-op: {member.role}, {member.share} share; known by {known}.")
    return 0


def identity(args: Namespace) -> int:
    """Bind an identity to a member."""
    config = configured(args)
    office = registrar(config)
    bound = office.identity(args.identity)
    with writing(config) as tx:
        member = find(tx.db, args.name)
        office.bind(tx, member, bound, by())
    say(f"{bound} is {member} from now on.")
    return 0


def show(args: Namespace) -> int:
    """List the members."""
    with reading(configured(args)) as db:
        members = [
            (
                m.name,
                m.role,
                f"{m.share} share",
                m.standing,
                ", ".join(map(str, roster.identities_of(db, m.name))),
            )
            for m in roster.all_members(db)
        ]
    if members:
        table(members)
    else:
        say("No members yet: shipboard member add makes the first.")
    return 0
