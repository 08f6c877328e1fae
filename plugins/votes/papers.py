"""What proves a closed motion: certificate and events, for docs/check_certificate.py, and a recount."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bot import Conflict, Usage, quoted
from plugins.votes import ledger, written
from plugins.votes.certificate import as_json, certify
from plugins.votes.declared import EVENTS, plugin
from plugins.votes.motion import Record, Stage, fold
from plugins.votes.reading import ended
from plugins.votes.tally import recount

if TYPE_CHECKING:
    from sqlite_utils import Database

CERTIFICATE, CHAIN = "certificate.json", "events.jsonl"

_DIGITS = 9
_DECIDES = frozenset({"Closed", "Judged"})
"""The events without which a certificate would not say how it ended."""


@plugin.exports
def export(db: "Database", word: str) -> Mapping[str, str]:
    """Return a closed motion's certificate, and the chain from its first row on.

    The chain ends before the first ballot of a motion that is still open: nobody learns from it who has voted
    there, and how. Conflict where that leaves too little, and for a chain that is not whole.
    """
    number = word.removeprefix("#")
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
        raise Usage(f"{quoted(word)} is no motion's number")
    if not db[EVENTS].exists():
        raise Conflict("there is no motion yet: the bot has not run with votes here")
    if fault := ledger.verdict(db).fault:
        raise Conflict(f"the chain of events is broken: {fault}; see shipboard verify")
    records = ledger.records(db, int(number))
    ended(fold(records))
    kept = list(_told(db, records))
    return {
        CERTIFICATE: as_json(certify(kept)),
        CHAIN: "".join(written.exported(ledger.links(db, kept[-1].seq))),
    }


@plugin.verifies
def verify(db: "Database") -> Iterator[str]:
    """Count every closed motion anew, and yield those whose result is not what was announced."""
    try:
        motions = ledger.motions(db)
    except (LookupError, TypeError, ValueError) as error:
        yield f"the events cannot be read: {error}."
        return
    for motion in motions:
        closing = motion.closing
        if closing is None or motion.opening is None or closing.why:
            continue
        found = recount(motion)
        if found.end is not closing.end:
            yield f"motion {motion.number} was announced as {closing.end}, its events make it {found.end}."
        if tuple(sorted(motion.ballots)) != closing.voters:
            yield f"motion {motion.number} has other voters than were announced."


def _told(db: "Database", records: list[Record]) -> Iterator[Record]:
    """Yield the records that come before any ballot of a motion that is open."""
    others = [motion for motion in ledger.motions(db) if motion.stage is Stage.OPEN]
    untold = {seq: motion.number for motion in others if (seq := ledger.first_ballot(db, motion.number))}
    first = min(untold, default=0)
    for record in records:
        if not first or record.seq < first:
            yield record
        elif type(record.deed).__name__ in _DECIDES:
            raise Conflict(
                f"motion {untold[first]} is open, and its ballots stand between the events of motion "
                f"{record.motion}: export that when both are closed"
            )
