from bot import Entry, Place, Tx
from bot.testing import Chat

ADMINS = "room net/#admins"
TEAM = "room net/#team"
ELSEWHERE = Place("net", "#elsewhere")

GUEST = "to me you are a guest: see !whoami."

HOSTILE = (
    '"',
    '"open',
    '""',
    "isn't",
    "'; DROP TABLE members; --",
    "\x02bold\x0304,05red\x1b[31m\x07",
    "\u202egnol",
    "x" * 400,
    "{machine.name}",
    "{0!r:>99999}",
    "%s%n%d",
    "$(reboot)",
    "`id`;reboot|tee&",
    "-1",
    "#3",
    "99999999999999999999",
    "\u0663\u00b2",
    "\udcff",
    "Å\u0301😀",
    "..",
    "\\",
)
"""Words that people, and worse, could type."""


async def tables(chat: Chat) -> list[str]:
    """All that people can change, as text."""

    def look(db: object) -> list[str]:
        query = getattr(db, "query")  # noqa: B009 - the library's types are not needed to read rows
        return [
            repr(row)
            for table in ("members", "identities", "machines", "link_codes")
            for row in query(f"SELECT * FROM {table} ORDER BY 1, 2, 3")  # noqa: S608 - fixed names
        ]

    return await chat.store.read(look)


async def forget(chat: Chat, *names: str) -> None:
    """Take all rows out of tables: `forget(chat)` leaves no machine and nobody."""

    def take(tx: Tx) -> None:
        for name in names or ("machines", "identities", "members"):
            tx.db.table(name).delete_where()

    await chat.store.write(take)


async def rows(chat: Chat, count: int = 200) -> list[Entry]:
    """The audit book's newest rows, the newest first."""
    return [row.entry for row in await chat.book.recent(count)]
