"""Where a member is told something, and whether they sleep. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from bot.coop.people import Member
from bot.coop.when import is_within, zone_named
from bot.model import Identity, IdentityKind


def ways(
    member: Member, identities: Sequence[Identity], networks: Collection[str], *, elsewhere: bool = False
) -> list[Identity]:
    """Return the identities by which a member is told, best first, of those on these networks.

    That is where they wish, else Jabber, else in the order given, which is where they were seen last. To be
    told `elsewhere` is to be told first on the networks that are not that of the best, where there are any.
    """

    def by_wish(one: Identity) -> tuple[bool, bool]:
        return one.network != member.reach, one.kind is not IdentityKind.XMPP_JID

    there = sorted((one for one in identities if one.network in networks), key=by_wish)
    if elsewhere and there:
        usual = there[0].network
        there.sort(key=lambda one: one.network == usual)
    return there


def sleeps(member: Member, now: datetime, zone: str) -> bool:
    """Tell whether a member has quiet hours now, in their zone, or in that one if they have none."""
    if not member.quiet:
        return False
    return is_within(member.quiet, now, zone_named(member.zone or zone))
