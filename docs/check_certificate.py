"""Check a vote's certificate against the exported events, without the bot. votes.md tells in words what is done here.

    python3 check_certificate.py CERTIFICATE.json EVENTS.jsonl [MEMBER TOKEN]     (with these two: find a secret ballot)
It ends with 0 if all is right, 1 if anything is not, 2 if a file cannot be read.
"""

# fmt: off
import hashlib, hmac, json, sys
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

when, plain = datetime.fromisoformat, json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
def digest(text): return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
def holding(tests): return all(holds for holds, _ in tests)
def compare(rule, left, sign, right, shown=""):
    holds = left > right if sign == ">" else left <= right if sign == "<=" else left >= right
    number = str(right) if 10**60 % right.denominator else f"{Decimal(right.numerator) / right.denominator:f}"
    return holds, f"{rule}: {shown or f'{left} {sign} {number}'} {'yes' if holds else 'no'}"
def reach(rule, part, share, whole, sign=">="):  # exact: both sides are multiplied out
    (num, den), left, right = share.as_integer_ratio(), part * share.denominator, share.numerator * whole
    return compare(rule, left, sign, right, f"{part}*{den}={left} {sign} {num}*{whole}={right}")
def broken(rows, prev="0" * 64):  # each hash is over the hash before it, the row's number, and its cells by name
    for seq, row in enumerate(rows, 1):
        cells = sorted(cell for cell in row.items() if cell[0] not in ("seq", "prev", "hash"))
        made = digest(json.dumps([prev, seq, cells], separators=(",", ":")))
        if [row["seq"], row["prev"], row["hash"]] != [seq, prev, made]: return f"- row {seq} is not what was written"
        prev = made
    return ""
def scores(votes, names, seats):  # each ballot adds its weight to all that it names; the most have the seats
    found = {name: sum(weight for words, weight in votes if name in words.split(",")) for name in names}
    best = [a for a in names if sum(found[b] > found[a] for b in names) < seats]
    last = [a for a in best if len(best) > seats and found[a] == min(found[b] for b in best)]
    return [a for a in best if a not in last], last, found
def firsts(votes, left):  # the votes of each option that is left, who has the fewest, and who has won
    tops = [(next((a for a in words.split(">") if a in left), None), weight) for words, weight in votes]
    tally = {a: sum(weight for top, weight in tops if top == a) for a in left}
    won = [a for a in left if 2 * tally[a] > sum(tally.values()) or len(left) == 1]
    return tally, [a for a in left if tally[a] == min(tally.values()) and not won], won
def irv(votes, names, order, lot):  # who has the fewest is out, their ballots move on, until one has a majority
    rounds, left, chance, won, ways, ends = [], names, False, [], {tuple(names)}, set()
    while not won:
        tally, last, won = firsts(votes, left)
        for past in reversed(rounds): last = [a for a in last if past[a] == min(past[b] for b in last)]  # who tie: who had the fewest before
        rounds, chance = [*rounds, tally], chance or len(last) > 1
        left = [a for a in left if a not in sorted(last, key=order.index)[-1:]]
    while chance and not lot and ways:  # where no lot decides: all that win if each tie may go either way
        found = {way: firsts(votes, way) for way in ways}
        ends |= {a for _, _, winner in found.values() for a in winner}
        ways = {tuple(b for b in way if b != a) for way, (_, last, _) in found.items() for a in last}
    return sorted(ends, key=names.index) or won, rounds
def schulze(votes, names, default, quorum, ratio, more):  # Debian's A.5, by the strongest paths: an equal way to its winners
    ranks = [({a: n for n, group in enumerate(words.split(">")) for a in group.split("=")}, w) for words, w in votes]
    over = {(a, b): sum(w for r, w in ranks if r.get(a, 999) < r.get(b, 999)) for a in names for b in names}
    tests, kept = [], list(names)
    for a in [a for a in names if default and a != default]:
        yes, no = over[a, default], over[default, a]
        tests += [compare(f"{a}: quorum", yes, more if quorum else ">=", quorum), reach(f"{a}: majority", yes, ratio, no, more), compare(f"{a}: majority", yes, ">", no)]
        kept = [b for b in kept if b != a or holding(tests[-3:])]
    path = {(a, b): (over[a, b], -over[b, a]) if over[a, b] > over[b, a] else (0, 0) for a in kept for b in kept}
    for c in kept: path = {(a, b): max(path[a, b], min(path[a, c], path[c, b])) for a in kept for b in kept}
    return [a for a in kept if all(path[a, b] >= path[b, a] for b in kept)], tests, [[over[a, b] for b in names] for a in names]
def count(opened, closed, cast, units, number):  # by the rules that were in force when the ballot opened
    rules, names, method = {"veto": False, "veto_override_num": 0, "veto_override_den": 1, **opened["rules"]}, [name.strip() for name in opened["options"]], opened["method"]
    secret, of, strict, most = rules["secrecy"] == "secret", rules["yes_of"], rules["yes_strict"], rules["max_no"]
    shares, lot, shared = rules["weight"] == "share" and not secret, rules["tie"] == "lot", rules["quorum_basis"] == "weight"
    part, quorum, over = (Fraction(rules[f"{what}_num"], rules[f"{what}_den"]) for what in ("yes", "quorum", "veto_override"))
    words = [(text, 1) for _, text in closed["receipts"]] if secret else [(said["words"], units[who] if shares else 1) for who, said in cast.items()]
    active = [who for who, _, alive in opened["electors"] if who in units and (alive or who in cast)]
    came, there = (sum(units[who] if shared else 1 for who in group) for group in (cast, active))
    met = [reach("quorum", came, quorum, there), compare("quorum", len(cast), ">=", min(rules["quorum_min"], max(len(active), 1)))]
    order = sorted(names, key=lambda name: digest(f"{closed['seed']}|{closed['head']}|{number}|{name}"))
    votes, everybody = [vote for vote in words if vote[0] != "abstain"], sum(units.values()) if shares else len(units)
    whole = everybody if of == "all" else sum(weight for _, weight in (votes if of == "cast" else words))
    met = [(True, "silence: nobody objected")] if method == "lazy" else met
    seats, sure, best, tests, counts, detail, end = rules["seats"] if method == "approval" else 1, [], [], [], {}, {}, "passed"
    if method == "yesno":
        said, vetoes = [("no" if text == "veto" else text, w) for text, w in words], sum(text == "veto" for text, _ in words)  # a veto is a no
        counts, no = {word: sum(w for text, w in said if text == word) for word in names}, [text for text, _ in said].count("no")
        tests = [reach("threshold", counts["yes"], part, whole, ">" if strict else ">="), compare("yes", sum(text == "yes" for text, _ in said), ">=", 1)]
        veto = [reach("veto", counts["yes"], over, whole) if over else compare("veto", vetoes, "<=", 0)] if rules["veto"] and vetoes and holding(met) else []
        tests += [compare("black-ball", no, "<=", most)][: most >= 0] + veto
        even = (counts["yes"], part, of, strict) == (counts["no"], Fraction(1, 2), "cast", True) and not -1 < most < no
        end = "passed" if holding(tests) else "vetoed" if not holding(veto) else "tied" if even else "failed"
    elif method == "irv": best, detail["rounds"] = irv(votes, names, order, lot)
    elif method == "schulze":
        default = "no change" if "motion" in names else rules["default_option"].strip()
        ratio = Fraction(1) if of != "cast" else part / (1 - part) if part < 1 else Fraction(whole + 1)
        best, tests, detail["matrix"] = schulze(votes, names, default, part * whole * (of != "cast"), ratio, ">" if strict else ">=")
        end = "failed" if best == [default] else "passed"
    elif method != "lazy": sure, best, counts = scores(votes, names, seats)  # plurality or approval
    tied = best if len(best) > seats - len(sure) else []
    end = "no-quorum" if not holding(met) else "tied" if tied and not lot else end
    chosen = sure + sorted(sorted(best, key=order.index)[: seats - len(sure)], key=names.index) if end == "passed" else []
    return end, chosen, tied, counts, [text for _, text in met + tests], detail
def checks(c, rows):  # each part of the certificate, and whether it is what the events make it
    story = [(row, json.loads(row["body"])) for row in rows if row["motion"] == c["motion"] and row["seq"] <= c["events"]["last"]]
    (asked, draft), (begun, opened), (ended, closed) = ([one for one in story if one[0]["kind"] == kind][-1] for kind in ("proposed", "opened", "closed"))
    cast, out, strays, until = {}, set(), [], opened["closes"]
    for row, said in story:
        who, kind, seq, until = row["actor"], row["kind"], row["seq"], said.get("closes", until)
        if kind == "voted":
            listed = begun["seq"] < seq < ended["seq"] and who not in out and who in [name for name, *_ in opened["electors"]]
            strays, cast = strays + ([] if listed and when(row["at"]) < when(until) else [seq]), {**cast, who: said}
        elif kind in ("retracted", "recused"):
            cast, out = {one: said for one, said in cast.items() if one != who}, out | ({who} if kind == "recused" else set())
    units, electors = {name: units for name, units, _ in opened["electors"] if name not in out}, digest(plain(opened["electors"]))
    end, chosen, tied, counts, tests, detail = count(opened, closed, cast, units, c["motion"])
    annulled = closed["end"] == "annulled" or any(row["kind"] == "judged" and said["annulled"] for row, said in story)
    text = digest("\0".join([c["type"], c["title"], c["text"], c["answer"], *c["amendments"].values(), *c["options"]]))
    listed = dict(closed["receipts"]) if c["secret"] else {who: said["words"] for who, said in cast.items()}
    shown = {**c["detail"], "rounds": [turn["tally"] for turn in c["detail"].get("rounds", [])]}
    made = {
        **draft, "type": c["type"], "proposer": asked["actor"], "text": c["text"], "text_sha256": text, "method": opened["method"],
        "rules": opened["rules"], "rules_sha256": opened["rules_digest"], "options": opened["options"], "electorate": {
            "members": len(units), "units": sum(units.values()), "sha256": electors, "list": opened["electors"], "recused": sorted(out)},
        "opened": begun["at"], "closes": until, "closed": ended["at"], "secret": opened["rules"]["secrecy"] == "secret",
        "turnout": {"members": len(cast), "units": sum(units[who] for who in cast)}, "voters": closed["voters"],
        "ballots": listed, "vetoes": {who: said["reason"] for who, said in cast.items() if said["words"] == "veto"}, "tests": tests, "counts": counts, "result": "annulled" if annulled else end, "chosen": chosen, "tied": tied,
        "lot": {"seed": closed["seed"], "commitment": opened["commitment"], "head": ended["prev"]} if c["lot"] else {},
        "events": {"first": story[0][0]["seq"], "last": story[-1][0]["seq"], "head": story[-1][0]["hash"]}}
    yield from ((part, plain(c[part]) == plain(made[part])) for part in c if part in made)
    yield "matrix and rounds", plain({**shown, **detail}) == plain(shown)
    yield "text and electorate, as they were fixed", [text, electors] == [opened["text_hash"], opened["electorate_digest"]]
    yield f"ballots: of electors, in time, all counted {strays or ''}", not strays and (annulled or len(listed) == len(cast))
    known = [closed["end"], closed["voters"], digest(closed["seed"]), closed["head"]]
    yield "end, voters and lot, as they were announced", annulled or known == [end, sorted(cast), opened["commitment"], ended["prev"]]
def find(c, member, token):  # the ballots in the list whose receipt this member has by this token
    key = {words: json.dumps([c["motion"], member, words], separators=(",", ":")) for words in c["ballots"].values()}
    return [words for receipt, words in c["ballots"].items() if hmac.new(token.encode(), key[words].encode(), "sha256").hexdigest()[:16] == receipt]
def main(argv):
    try:
        given, exported = (Path(name).read_bytes().decode("ascii") for name in argv[:2])
        c, rows, found = json.loads(given), [json.loads(line) for line in exported.splitlines()], []
    except (OSError, ValueError, RecursionError) as error:
        print("cannot be read:", error)
        return 2
    try:  # written in one of the usual forms, so that not even a space can differ
        own = digest(plain({key: value for key, value in c.items() if key != "sha256"})) == c["sha256"]
        found += [("certificate, as its own hash says", own and given.rstrip("\n") in [json.dumps(c, indent=n) for n in (None, 1, 2)])]
        found += [(f"chain of {len(rows)} events {broken(rows)}", not broken(rows) and exported == "".join(plain(row) + "\n" for row in rows))]
        found += checks(c, rows) if found[-1][1] else []
        found += [(f"ballot of {argv[2]}: {find(c, *argv[2:])}", find(c, *argv[2:]))] if argv[2:] else []
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        found += [(f"the events tell of no such motion: {error!r}", False)]
    print("\n".join(("yes " if holds else "NO  ") + what for what, holds in found))
    return 0 if all(holds for _, holds in found) else 1
if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
