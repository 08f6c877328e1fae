"""What clients say to each other: PRIVMSG, NOTICE, TAGMSG, AWAY; and NickServ, which proves accounts."""

from bot.demo.ircd.login import NICKSERV, give_up, log_in, log_out
from bot.demo.ircd.realm import Client, Command, Realm
from bot.demo.ircd.wire import Line, fold


def _talk(realm: Realm, client: Client, line: Line) -> None:
    """Deliver to each target; a NOTICE never causes an answer (RFC 2812 section 3.3.2)."""
    quiet = line.command == "NOTICE"
    targets = [target for target in line.params[0].split(",") if target] if line.params else []
    fault = _fault(realm, line, targets)
    if fault:
        if not quiet:
            realm.reply(client, *fault)
        return
    for target in targets:
        if fold(target) == fold(NICKSERV):
            _nickserv(realm, client, "".join(line.params[1:2]))
            continue
        found = _receivers(realm, client, target)
        if isinstance(found, str):
            if not quiet:
                realm.reply(client, found, target, "Cannot send to that")
            continue
        _deliver(realm, client, line, found)


def _fault(realm: Realm, line: Line, targets: list[str]) -> tuple[str, ...] | None:
    if not targets:
        return "411", f"No recipient given ({line.command})"
    if len(targets) > realm.limits.targets:
        return "407", targets[0], "Too many recipients"
    if line.command != "TAGMSG" and not "".join(line.params[1:2]):
        return "412", "No text to send"
    return None


def _receivers(realm: Realm, client: Client, target: str) -> tuple[str, list[Client]] | str:
    """Return a target's name and who gets what is said to it, or the numeric that says why nobody does."""
    if target.startswith("#"):
        room = realm.rooms.get(fold(target))
        if room is None:
            return "403"
        if ("n" in room.modes and client not in room.members) or (
            "m" in room.modes and not room.members.get(client)
        ):
            return "404"
        return room.name, [member for member in room.members if member is not client]
    found = realm.find(target)
    if found is None:
        return "401"
    if found.away:
        realm.reply(client, "301", found.nick, found.away)
    return found.nick, [found]


def _deliver(realm: Realm, client: Client, line: Line, found: tuple[str, list[Client]]) -> None:
    name, receivers = found
    if "echo-message" in client.caps:
        receivers = [*receivers, client]
    if line.command == "TAGMSG":
        receivers = [one for one in receivers if "message-tags" in one.caps]
    text = line.params[1:2] if line.command != "TAGMSG" else ()
    realm.relay(client, receivers, line.command, name, *text, tags=line.tags)


def _nickserv(realm: Realm, client: Client, text: str) -> None:
    """Obey `IDENTIFY [account] password` and `LOGOUT`, as services do."""
    match text.split():
        case [word, *rest] if word.upper() == "IDENTIFY" and 1 <= len(rest) <= 2:  # noqa: PLR2004 - [account] password
            name = rest[0] if rest[1:] else client.nick
            if log_in(realm, client, name, rest[-1]):
                answer = f"You are now identified for {client.account}."
            else:
                answer = f"Wrong account or password for {name}."
        case [word] if word.upper() == "LOGOUT" and client.account:
            log_out(realm, client)
            answer = "You have been logged out."
        case _:
            answer = "I understand IDENTIFY [account] password, and LOGOUT."
    client.send(Line("NOTICE", (client.nick, answer), f"{NICKSERV}!{NICKSERV}@{realm.name}"))
    give_up(realm, client)


def _away(realm: Realm, client: Client, line: Line) -> None:
    client.away = "".join(line.params[:1])
    if client.away:
        realm.reply(client, "306", "You have been marked as being away")
    else:
        realm.reply(client, "305", "You are no longer marked as being away")


COMMANDS = {
    "AWAY": Command(_away),
    "NOTICE": Command(_talk),
    "PRIVMSG": Command(_talk),
    "TAGMSG": Command(_talk),
}
