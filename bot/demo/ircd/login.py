"""How a client registers and proves its account: CAP 302, SASL PLAIN, PASS account:password, NICK, USER."""

import base64
import hmac
import re

from bot.demo.ircd import lookup
from bot.demo.ircd.realm import Client, Command, Realm
from bot.demo.ircd.wire import NICK_LENGTH, ROOM_LENGTH, Line, fold, is_nick

CAPS = (
    "account-notify",
    "account-tag",
    "cap-notify",
    "echo-message",
    "extended-join",
    "message-tags",
    "multi-prefix",
    "server-time",
    "userhost-in-names",
)
NICKSERV = "NickServ"
_PIECE = 400  # characters of base64 in one AUTHENTICATE (IRCv3 sasl-3.1)
_LONGEST_SASL = 8 * _PIECE
_NOT_IN_USER = re.compile(r"[^A-Za-z0-9._-]")


def log_in(realm: Realm, client: Client, name: str, password: str) -> bool:
    """Prove an account to a client; a wrong password costs a try, and the last try the connection."""
    account, right = realm.accounts.get(fold(name), ("", ""))
    same = hmac.compare_digest(_raw(password), _raw(right))
    if not (same and account and realm.services):
        client.tries += 1
        return False
    client.account, client.tries = account, 0
    realm.reply(client, "900", client.mask, account, f"You are now logged in as {account}")
    tell_account(realm, client)
    return True


def log_out(realm: Realm, client: Client) -> None:
    """Take a client's account away."""
    client.account = None
    realm.reply(client, "901", client.mask, "You are now logged out")
    tell_account(realm, client)


def tell_account(realm: Realm, client: Client) -> None:
    """Tell those with account-notify who share a room with a client, and itself, what its account is now."""
    if client.registered:
        listeners = [one for one in (client, *realm.neighbours(client)) if "account-notify" in one.caps]
        realm.relay(client, listeners, "ACCOUNT", client.account or "*")


def give_up(realm: Realm, client: Client) -> None:
    """End the connection of a client that has used up its tries."""
    if client.tries >= realm.limits.tries:
        realm.leave(client, "Too many wrong passwords")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _offered(realm: Realm, *, values: bool) -> list[str]:
    sasl = ["sasl=PLAIN" if values else "sasl"] if realm.services else []
    return [*CAPS, *sasl]


def tell_sasl(realm: Realm) -> None:
    """Tell those with cap-notify that SASL has come or gone."""
    for client in realm.clients:
        if not realm.services:
            client.caps.discard("sasl")
            client.sasl = None
        if "cap-notify" in client.caps:
            word = "sasl=PLAIN" if client.cap_302 else "sasl"
            realm.send(
                client, "CAP", client.nick or "*", *(("NEW", word) if realm.services else ("DEL", "sasl"))
            )


def _cap(realm: Realm, client: Client, line: Line) -> None:
    word, rest = line.params[0].upper(), line.params[1:]
    if word in {"LS", "REQ"}:
        client.negotiating = not client.registered
    match word:
        case "LS":
            if rest and rest[0].isdecimal() and int(rest[0]) >= 302:  # noqa: PLR2004 - the version's own name
                client.cap_302 = True
                client.caps.add("cap-notify")
            realm.reply(client, "CAP", "LS", " ".join(_offered(realm, values=client.cap_302)))
        case "LIST":
            realm.reply(client, "CAP", "LIST", " ".join(sorted(client.caps)))
        case "REQ":
            _request(realm, client, " ".join(rest))
        case "END":
            client.negotiating = False
            _abort_sasl(realm, client)
            _register(realm, client)
        case _:
            realm.reply(client, "410", line.params[0][:32], "Invalid CAP command")


def _request(realm: Realm, client: Client, asked: str) -> None:
    offered = set(_offered(realm, values=False))
    kept = {"-cap-notify"} if client.cap_302 else set()
    if any(word in kept or word.removeprefix("-") not in offered for word in asked.split()):
        realm.reply(client, "CAP", "NAK", asked)
        return
    for word in asked.split():
        if word.startswith("-"):
            client.caps.discard(word[1:])
        else:
            client.caps.add(word)
    realm.reply(client, "CAP", "ACK", asked)


def _abort_sasl(realm: Realm, client: Client) -> None:
    if client.sasl is not None:
        client.sasl = None
        realm.reply(client, "906", "SASL authentication aborted")


def _authenticate(realm: Realm, client: Client, line: Line) -> None:
    piece = line.params[0]
    if "sasl" not in client.caps:
        realm.reply(client, "904", "Ask for the capability sasl first")
    elif client.account:
        realm.reply(client, "907", "You have already authenticated using SASL")
    elif piece == "*":
        client.sasl = client.sasl or ""
        _abort_sasl(realm, client)
    elif client.sasl is not None:
        _continue_sasl(realm, client, piece)
    elif piece.upper() == "PLAIN":
        client.sasl = ""
        client.send(Line("AUTHENTICATE", ("+",)))
    else:
        realm.reply(client, "908", "PLAIN", "are available SASL mechanisms")
        realm.reply(client, "904", "SASL authentication failed")


def _continue_sasl(realm: Realm, client: Client, piece: str) -> None:
    payload = (client.sasl or "") + ("" if piece == "+" else piece)
    if len(piece) > _PIECE or len(payload) > _LONGEST_SASL:
        client.sasl = None
        realm.reply(client, "905", "SASL message too long")
    elif len(piece) == _PIECE:
        client.sasl = payload
    else:
        client.sasl = None
        _plain(realm, client, payload)


def _plain(realm: Realm, client: Client, payload: str) -> None:
    """Check a PLAIN message (RFC 4616): authzid NUL authcid NUL password, where authzid is nobody else."""
    try:
        raw = base64.b64decode(payload, validate=True).decode("utf-8")
        authzid, authcid, password = raw.split("\0")
    except ValueError:
        authzid = authcid = password = ""
    if fold(authzid) in {"", fold(authcid)} and log_in(realm, client, authcid, password):
        realm.reply(client, "903", "SASL authentication successful")
        return
    realm.reply(client, "904", "SASL authentication failed")
    give_up(realm, client)


def _pass(realm: Realm, client: Client, line: Line) -> None:
    if client.registered:
        realm.reply(client, "462", "You may not reregister")
    else:
        client.password = line.params[0]


def _nick(realm: Realm, client: Client, line: Line) -> None:
    nick = line.params[0] if line.params else ""
    if not nick:
        realm.reply(client, "431", "No nickname given")
    elif not is_nick(nick):
        realm.reply(client, "432", nick[:NICK_LENGTH], "Erroneous nickname")
    elif fold(nick) == fold(NICKSERV) or realm.nicks.get(fold(nick), client) is not client:
        realm.reply(client, "433", nick, "Nickname is already in use")
    else:
        if client.registered and nick != client.nick:
            realm.relay(client, [client, *realm.neighbours(client)], "NICK", nick)
        realm.nicks.pop(fold(client.nick), None)
        client.nick = nick
        realm.nicks[fold(nick)] = client
        _register(realm, client)


def _user(realm: Realm, client: Client, line: Line) -> None:
    if client.user:
        realm.reply(client, "462", "You may not reregister")
        return
    client.user = _NOT_IN_USER.sub("", line.params[0])[:10] or "user"
    client.realname = line.params[3][:120] or client.user
    _register(realm, client)


def _register(realm: Realm, client: Client) -> None:
    if client.registered or client.negotiating or not (client.nick and client.user):
        return
    account, _, password = client.password.partition(":")
    if client.password and not client.account and not log_in(realm, client, account, password):
        realm.reply(client, "464", "Wrong password; it is PASS account:password")
        realm.leave(client, "Wrong password")
        return
    client.password = ""
    client.registered = True
    _welcome(realm, client)


def _welcome(realm: Realm, client: Client) -> None:
    realm.reply(client, "001", f"Welcome aboard, {client.nick}")
    realm.reply(client, "002", f"Your host is {realm.name}, a server for one machine")
    realm.reply(client, "003", "This server keeps nothing")
    realm.reply(client, "004", realm.name, "shipboard", "i", "mnotv")
    realm.reply(
        client,
        "005",
        "CASEMAPPING=rfc1459",
        "CHANMODES=b,,,mnt",
        "CHANTYPES=#",
        f"CHANLIMIT=#:{realm.limits.rooms}",
        f"CHANNELLEN={ROOM_LENGTH}",
        f"MAXTARGETS={realm.limits.targets}",
        "MODES=4",
        "NETWORK=Shipboard",
        f"NICKLEN={NICK_LENGTH}",
        "PREFIX=(ov)@+",
        "WHOX",
        "are supported by this server",
    )
    lookup.lusers(realm, client)
    lookup.motd(realm, client)


def _quit(realm: Realm, client: Client, line: Line) -> None:
    realm.leave(client, f"Quit: {line.params[0]}" if line.params else "Quit")


def _ping(realm: Realm, client: Client, line: Line) -> None:
    realm.send(client, "PONG", realm.name, line.params[0])


def _pong(_realm: Realm, _client: Client, _line: Line) -> None:
    """Do nothing: that a line came is the answer."""


COMMANDS = {
    "AUTHENTICATE": Command(_authenticate, 1, early=True),
    "CAP": Command(_cap, 1, early=True),
    "NICK": Command(_nick, early=True),
    "PASS": Command(_pass, 1, early=True),
    "PING": Command(_ping, 1, early=True),
    "PONG": Command(_pong, early=True),
    "QUIT": Command(_quit, early=True),
    "USER": Command(_user, 4, early=True),
}
