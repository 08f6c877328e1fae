"""A closed motion's certificate and the events that prove it, as files for docs/check_certificate.py."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bot import Conflict, Usage, quoted
from plugins.votes import ledger, written
from plugins.votes.certificate import as_json, certify
from plugins.votes.declared import EVENTS, plugin
from plugins.votes.motion import Record, Stage, fold
from plugins.votes.reading import ended

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
