"""The certificate of a closed motion: all that led to its result, derived from its events alone."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from plugins.votes import deeds, electorate
from plugins.votes.motion import Motion, Record, fold
from plugins.votes.tally import Finding, choices, recount
from plugins.votes.written import instant

Certificate = Mapping[str, object]

SHOWN = 12
_written = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def certify(records: Iterable[Record]) -> Certificate:
    """Return the certificate of a motion from its chained records, as JSON can hold it.

    LookupError for a motion whose ballot never opened or is not closed. Events after its close are in it too:
    the last one is named. `sha256` is of all the rest as JSON, its keys sorted, without spaces.
    """
    motion = fold(records)
    made: Certificate = {
        "motion": motion.number,
        "type": motion.kind,
        "title": motion.title,
        "text": motion.text,
        "answer": motion.answer,
        "amendments": {amendment.option: amendment.text for amendment in motion.pending},
        "proposer": motion.proposer,
        "seconders": list(motion.seconders),
        "subject": motion.subject,
        **_voting(motion),
        **_result(motion, recount(motion)),
        "notes": list(motion.notes),
        "appeal": motion.appeal,
        "events": {"first": motion.first_seq, "last": motion.last_seq, "head": motion.head},
    }
    return {**made, "sha256": hashlib.sha256(_written(made).encode()).hexdigest()}


def as_json(certificate: Certificate) -> str:
    """Return a certificate as the text of a file, as docs/check_certificate.py reads it."""
    return json.dumps(certificate, indent=1) + "\n"


def lines(certificate: Certificate) -> Iterator[str]:
    """Yield a certificate as text, line by line."""
    c = _Reader(certificate)
    yield f"MOTION {c['motion']} {c.text('result').upper()}: {c['title']} ({c['type']})"
    yield f"Proposed by {c['proposer']}, seconded by {', '.join(c.items('seconders')) or 'nobody'}."
    yield f"Text {c.text('text_sha256')[:SHOWN]}, rules {c.text('rules_sha256')[:SHOWN] or 'unnamed'}."
    yield f"Open {c['opened']} to {c['closed']}, extended by {c['extended_seconds']} s."
    electors, cast = c.table("electorate"), c.table("turnout")
    yield (
        f"Electorate {electors['members']} members, {electors['units']} units, "
        f"list {electors.text('sha256')[:SHOWN]}; {cast['members']} voted, {cast['units']} units."
    )
    if counts := c.table("counts"):
        yield f"Counted: {', '.join(f'{word} {votes}' for word, votes in counts.of.items())}."
    for test in c.items("tests"):
        yield f"  {test}"
    for row in c.table("detail").items("matrix"):
        yield f"  {row}"
    for why in ("chosen", "tied", "notes"):
        if found := c.items(why):
            yield f"{why.capitalize()}: {'; '.join(found)}."
    if lot := c.table("lot"):
        yield f"Lot: seed {lot['seed']} (promised {lot.text('commitment')[:SHOWN]}), head {lot['head']}."
    vetoes = c.table("vetoes")
    for name, words in c.table("ballots").of.items():
        why = " ".join(vetoes.text(name).split()).replace('"', "'") if name in vetoes.of else ""
        yield f"  {name}: {words}" + (f' because "{why}"' if why else "")
    events = c.table("events")
    yield f"Events {events['first']} to {events['last']}, chain head {events['head']}."


def closing_line(motion: Motion, finding: Finding, vetoes: str = "") -> str:
    """Return what is announced at the end: `PASSED: yes 8, no 3; 8*3=24 >= 2*11=22 yes; …`.

    `vetoes` are the words about vetoes, behind the counts: `veto by alice because "it is a trap"`.
    """
    counts = ", ".join(filter(None, (*choices(finding), vetoes)))
    parts = [counts, *(check.text for check in finding.checks)]
    chosen = f"{', '.join(finding.chosen)}" if finding.chosen else ""
    said = "; ".join(part for part in (chosen, *parts) if part)
    return f"VOTE {motion.number} {motion.ended.end.upper()}: {said}"


class _Reader:
    """Reads a certificate that may have come from a file."""

    def __init__(self, of: Mapping[str, object]) -> None:
        self.of = of

    def __bool__(self) -> bool:
        return bool(self.of)

    def __getitem__(self, key: str) -> object:
        return self.of[key]

    def text(self, key: str) -> str:
        return str(self.of[key])

    def items(self, key: str) -> Sequence[str]:
        found = self.of.get(key)
        return [str(one) for one in found] if isinstance(found, list | tuple) else ()

    def table(self, key: str) -> "_Reader":
        found = self.of.get(key)
        return _Reader(found if isinstance(found, Mapping) else {})


def _voting(motion: Motion) -> Certificate:
    opening = motion.voting
    votes = [elector.votes for elector in motion.electors]
    return {
        "text_sha256": opening.text_hash,
        "rules": deeds.Opened.table(opening.rules),
        "rules_sha256": opening.rules_digest,
        "method": opening.method,
        "options": list(opening.options),
        "electorate": {
            "members": len(votes),
            "units": sum(vote.units for vote in votes),
            "sha256": electorate.digest(opening.electors),
            "list": [[one.name, one.units, one.active] for one in opening.electors],
            "recused": sorted(motion.recused),
        },
        "opened": instant(opening.at),
        "closes": instant(motion.open_until),
        "closed": instant(motion.ended.at),
        "extended_seconds": int(motion.extended.total_seconds()),
    }


def _result(motion: Motion, finding: Finding) -> Certificate:
    closing, opening = motion.ended, motion.voting
    drawn = bool(finding.tied) and opening.rules.tie == "lot"
    lot = {"commitment": opening.commitment, "seed": closing.seed, "head": closing.head}
    if motion.is_secret:
        ballots = dict(closing.receipts)
    else:
        ballots = {name: cast.words for name, cast in sorted(motion.ballots.items())}
    return {
        "result": str(closing.end),
        "why": closing.why,
        "turnout": {"members": finding.cast.members, "units": finding.cast.units},
        "counts": dict(finding.counts or {}),
        "tests": [f"{check.rule}: {check.text}" for check in finding.checks],
        "detail": finding.detail or {},
        "chosen": list(finding.chosen),
        "tied": list(finding.tied),
        "lot": lot if drawn else {},
        "secret": motion.is_secret,
        "ballots": ballots,
        **({"vetoes": dict(motion.vetoes)} if motion.takes_vetoes else {}),
        "voters": list(closing.voters),
    }
