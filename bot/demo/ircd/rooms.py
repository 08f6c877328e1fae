"""Rooms: JOIN, PART, NAMES, TOPIC, MODE, KICK, LIST. Who comes first has the channel operator status."""

from bot.demo.ircd.realm import Client, Command, Realm, Room
from bot.demo.ircd.wire import Line, fold, is_room

_NAMES_PER_LINE = 6  # nick!user@host is at most 53 bytes here, so that many always fit
_MODE_LETTERS = 12  # of one MODE line; each can cost an answer


def _room(realm: Realm, client: Client, name: str) -> Room | None:
    room = realm.rooms.get(fold(name))
    if room is None:
        realm.reply(client, "403", name, "No such channel")
    return room


def _inside(realm: Realm, client: Client, name: str) -> Room | None:
    room = _room(realm, client, name)
    if room and client not in room.members:
        realm.reply(client, "442", room.name, "You are not on that channel")
        return None
    return room


def _is_op(realm: Realm, client: Client, room: Room) -> bool:
    if "o" in room.members.get(client, ()):
        return True
    realm.reply(client, "482", room.name, "You are not a channel operator")
    return False


def _join(realm: Realm, client: Client, line: Line) -> None:
    if line.params[0] == "0":
        for left in tuple(realm.rooms_of(client)):
            _leave(realm, client, left, "")
        return
    for name in line.params[0].split(","):
        room = realm.rooms.get(fold(name))
        if not is_room(name):
            realm.reply(client, "403", name, "No such channel")
        elif room and client in room.members:
            continue
        elif len(list(realm.rooms_of(client))) >= realm.limits.rooms:
            realm.reply(client, "405", name, "You are on too many channels")
        else:
            _enter(realm, client, room or _make(realm, name))


def _make(realm: Realm, name: str) -> Room:
    room = Room(name, int(realm.clock.now().timestamp()))
    realm.rooms[fold(name)] = room
    return room


def _enter(realm: Realm, client: Client, room: Room) -> None:
    room.members[client] = set() if room.members else {"o"}
    extended = [one for one in room.members if "extended-join" in one.caps]
    plain = [one for one in room.members if "extended-join" not in one.caps]
    realm.relay(client, extended, "JOIN", room.name, client.account or "*", client.realname)
    realm.relay(client, plain, "JOIN", room.name)
    if room.topic:
        _tell_topic(realm, client, room)
    _tell_names(realm, client, room)


def _tell_names(realm: Realm, client: Client, room: Room) -> None:
    every, masks = "multi-prefix" in client.caps, "userhost-in-names" in client.caps
    names = [room.prefix(one, every=every) + (one.mask if masks else one.nick) for one in room.members]
    for start in range(0, len(names), _NAMES_PER_LINE):
        realm.reply(client, "353", "=", room.name, " ".join(names[start : start + _NAMES_PER_LINE]))
    realm.reply(client, "366", room.name, "End of NAMES list")


def _names(realm: Realm, client: Client, line: Line) -> None:
    for name in line.params[0].split(",") if line.params else ["*"]:
        room = realm.rooms.get(fold(name))
        if room:
            _tell_names(realm, client, room)
        else:
            realm.reply(client, "366", name, "End of NAMES list")


def _part(realm: Realm, client: Client, line: Line) -> None:
    for name in line.params[0].split(","):
        room = _inside(realm, client, name)
        if room:
            _leave(realm, client, room, "".join(line.params[1:2]))


def _leave(realm: Realm, client: Client, room: Room, reason: str) -> None:
    realm.relay(client, room.members, "PART", room.name, *([reason] if reason else []))
    realm.remove(client, room)


def _tell_topic(realm: Realm, client: Client, room: Room) -> None:
    realm.reply(client, "332", room.name, room.topic)
    realm.reply(client, "333", room.name, room.topic_by, str(room.topic_at))


def _topic(realm: Realm, client: Client, line: Line) -> None:
    room = _room(realm, client, line.params[0])
    if room is None:
        return
    if len(line.params) == 1:
        if room.topic:
            _tell_topic(realm, client, room)
        else:
            realm.reply(client, "331", room.name, "No topic is set")
    elif _inside(realm, client, room.name) and ("t" not in room.modes or _is_op(realm, client, room)):
        room.topic, room.topic_by, room.topic_at = (
            line.params[1],
            client.mask,
            int(realm.clock.now().timestamp()),
        )
        realm.relay(client, room.members, "TOPIC", room.name, room.topic)


def _mode(realm: Realm, client: Client, line: Line) -> None:
    name, *change = line.params
    if fold(name) == fold(client.nick):
        realm.reply(client, "221", "+")
        return
    room = _room(realm, client, name)
    if room is None:
        return
    if not change:
        realm.reply(client, "324", room.name, "+" + "".join(sorted(room.modes)))
        realm.reply(client, "329", room.name, str(room.made))
    elif change[0].lstrip("+") == "b" and len(change) == 1:
        realm.reply(client, "368", room.name, "End of channel ban list")
    elif _is_op(realm, client, room):
        _change(realm, client, room, change)


def _change(realm: Realm, client: Client, room: Room, change: list[str]) -> None:
    letters, *nicks = change
    sign, done, named = "+", "", []
    for letter in letters[:_MODE_LETTERS]:
        if letter in "+-":
            sign = letter
        elif letter in "mnt":
            _set(room.modes, letter, sign)
            done += sign + letter
        elif letter in "ov":
            member = _member(realm, client, room, nicks.pop(0)) if nicks else None
            if member:
                _set(room.members[member], letter, sign)
                done += sign + letter
                named.append(member.nick)
        else:
            realm.reply(client, "472", letter, "is unknown mode char to me")
    if done:
        realm.relay(client, room.members, "MODE", room.name, done, *named)


def _set(modes: set[str], letter: str, sign: str) -> None:
    if sign == "+":
        modes.add(letter)
    else:
        modes.discard(letter)


def _member(realm: Realm, client: Client, room: Room, nick: str) -> Client | None:
    found = realm.find(nick)
    if found in room.members:
        return found
    realm.reply(client, "441", nick, room.name, "They are not on that channel")
    return None


def _kick(realm: Realm, client: Client, line: Line) -> None:
    room = _inside(realm, client, line.params[0])
    if room is None or not _is_op(realm, client, room):
        return
    member = _member(realm, client, room, line.params[1])
    if member:
        realm.relay(
            client, room.members, "KICK", room.name, member.nick, "".join(line.params[2:3]) or client.nick
        )
        realm.remove(member, room)


def _list(realm: Realm, client: Client, line: Line) -> None:
    asked = {fold(name) for name in line.params[0].split(",")} if line.params else set(realm.rooms)
    for key, room in realm.rooms.items():
        if key in asked:
            realm.reply(client, "322", room.name, str(len(room.members)), room.topic)
    realm.reply(client, "323", "End of LIST")


COMMANDS = {
    "JOIN": Command(_join, 1),
    "KICK": Command(_kick, 2),
    "LIST": Command(_list),
    "MODE": Command(_mode, 1),
    "NAMES": Command(_names),
    "PART": Command(_part, 1),
    "TOPIC": Command(_topic, 1),
}
