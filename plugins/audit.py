"""Shows the audit book, and proves that nobody rewrote it."""

import re

from bot import Book, DayBegan, Notice, Outcome, Plugin, Row, Usage, admins, counted, quoted

plugin = Plugin("audit")
MOST = 50
SHOWN = 12
_HEAD = re.compile(rf"[0-9a-f]{{{SHOWN},64}}", re.IGNORECASE)


@plugin.command("audit", allow=admins, reads=True)
async def audit(book: Book, count: int = 5) -> str:
    """Show the newest rows of the audit book."""
    rows = await book.recent(max(1, min(count, MOST)))
    lines = [line(row) for row in rows]
    if count > MOST == len(rows):
        lines.append(f"These are the newest {MOST}; more are not shown.")
    return "\n".join(lines) or "The audit book is empty."


@plugin.command("audit verify", allow=admins, reads=True, timeout=120.0)
async def verify(book: Book, head: str | None = None) -> str:
    """Recompute the whole book, and look for a head that was published."""
    if head is not None and not _HEAD.fullmatch(head):
        raise Usage(f"{quoted(head)} is no head; one has {SHOWN} to 64 hex digits.")
    verdict = await book.verify(head)
    if not verdict.whole:
        return f"The audit book is BROKEN: {verdict.fault}."
    return f"The audit book is whole: {counted(verdict.length, 'row')} [chain {verdict.head[:SHOWN]}]."


@plugin.on(DayBegan)
async def publish(event: DayBegan, book: Book) -> Outcome:
    """Publish the head to the admins, so that nobody can rewrite the past unseen."""
    verdict = await book.verify()
    if not verdict.whole:
        return _tell(event, f"The audit book is BROKEN: {verdict.fault}.")
    return _tell(
        event, f"Audit book on {event.date}: {counted(verdict.length, 'row')} [chain {verdict.head}]"
    )


def _tell(event: DayBegan, text: str) -> Outcome:
    return Outcome(notices=(Notice("admins", (text,), key=f"audit head {event.date}"),))


def line(row: Row) -> str:
    """Return one row as a chat line."""
    entry = row.entry
    who = entry.actor or f"guest {entry.identity}"
    ref = f" (of {entry.ref})" if entry.ref else ""
    asked = f"{entry.command} {entry.words}".rstrip()
    outcome = f" → {entry.outcome}" if entry.outcome else ""
    return f"{row.seq} {row.at:%d %b %H:%M} UTC {who} {entry.kind}{ref}: {asked}{outcome}"
