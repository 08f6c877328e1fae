"""What a client may ask about others: WHO with WHOX, WHOIS, ISON, USERHOST, LUSERS, MOTD."""

import re
from collections.abc import Iterable

from bot.demo.ircd.realm import Client, Command, Realm, Room
from bot.demo.ircd.wire import Line, fold

_WHOX = re.compile(r"[^%]*%([A-Za-z]*)(?:,([0-9]{1,3}))?")
_WHOX_ORDER = "tcuihsnfdlaor"


def motd(realm: Realm, client: Client) -> None:
    """Send the message of the day."""
    if not realm.motd:
        realm.reply(client, "422", "There is no message of the day")
        return
    realm.reply(client, "375", f"- {realm.name} message of the day -")
    for text in realm.motd:
        realm.reply(client, "372", f"- {text}")
    realm.reply(client, "376", "End of MOTD")


def lusers(realm: Realm, client: Client) -> None:
    """Send how many are here."""
    people = sum(one.registered for one in realm.clients)
    realm.reply(client, "251", f"There are {people} users and 0 invisible on 1 server")
    realm.reply(client, "254", str(len(realm.rooms)), "channels formed")
    realm.reply(client, "255", f"I have {people} clients and 0 servers")


def _who(realm: Realm, client: Client, line: Line) -> None:
    mask = line.params[0] if line.params else "*"
    asked = _WHOX.fullmatch(line.params[1]) if len(line.params) > 1 else None
    for room, found in _matching(realm, mask):
        if asked:
            fields = _whox(realm, client, room, found) | {"t": asked[2] or "0"}
            realm.reply(client, "354", *(fields[key] for key in _WHOX_ORDER if key in asked[1]))
        else:
            name, flags = room.name if room else "*", _flags(client, room, found)
            realm.reply(
                client,
                "352",
                name,
                found.user,
                found.host,
                realm.name,
                found.nick,
                flags,
                f"0 {found.realname}",
            )
    realm.reply(client, "315", mask, "End of WHO list")


def _matching(realm: Realm, mask: str) -> Iterable[tuple[Room | None, Client]]:
    room = realm.rooms.get(fold(mask))
    if room:
        return [(room, member) for member in room.members]
    if mask in {"*", "0"}:
        return [(None, one) for one in realm.clients if one.registered]
    found = realm.find(mask)
    return [(None, found)] if found else []


def _flags(client: Client, room: Room | None, found: Client) -> str:
    prefix = room.prefix(found, every="multi-prefix" in client.caps) if room else ""
    return ("G" if found.away else "H") + prefix


def _whox(realm: Realm, client: Client, room: Room | None, found: Client) -> dict[str, str]:
    return {
        "c": room.name if room else "*",
        "u": found.user,
        "i": found.host,
        "h": found.host,
        "s": realm.name,
        "n": found.nick,
        "f": _flags(client, room, found),
        "d": "0",
        "l": "0",
        "a": found.account or "0",
        "o": "n/a",
        "r": found.realname,
    }


def _whois(realm: Realm, client: Client, line: Line) -> None:
    nick = line.params[-1]  # `WHOIS server nick` asks that server, and there is only this one
    found = realm.find(nick)
    if found is None:
        realm.reply(client, "401", nick, "No such nick")
    else:
        realm.reply(client, "311", found.nick, found.user, found.host, "*", found.realname)
        shared = [room for room in realm.rooms_of(found) if found is client or client in room.members]
        if shared:
            names = " ".join(room.prefix(found, every=True) + room.name for room in shared)
            realm.reply(client, "319", found.nick, names)
        realm.reply(client, "312", found.nick, realm.name, "A server for one machine")
        if found.away:
            realm.reply(client, "301", found.nick, found.away)
        if found.account:
            realm.reply(client, "330", found.nick, found.account, "is logged in as")
    realm.reply(client, "318", nick, "End of WHOIS list")


def _ison(realm: Realm, client: Client, line: Line) -> None:
    asked = " ".join(line.params).split()
    realm.reply(client, "303", " ".join(found.nick for nick in asked if (found := realm.find(nick))))


def _userhost(realm: Realm, client: Client, line: Line) -> None:
    found = [one for nick in line.params[:5] if (one := realm.find(nick))]
    answers = (f"{one.nick}={'-' if one.away else '+'}{one.user}@{one.host}" for one in found)
    realm.reply(client, "302", " ".join(answers))


def _lusers(realm: Realm, client: Client, _line: Line) -> None:
    lusers(realm, client)


def _motd(realm: Realm, client: Client, _line: Line) -> None:
    motd(realm, client)


COMMANDS = {
    "ISON": Command(_ison, 1),
    "LUSERS": Command(_lusers),
    "MOTD": Command(_motd),
    "USERHOST": Command(_userhost, 1),
    "WHO": Command(_who),
    "WHOIS": Command(_whois, 1),
}
