"""The chat lines of this plugin. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction

from bot.words import size
from plugins.bandwidth.tally import ALL, Amount, Billed, Outlook, Survey, Who, most, owners

TOP = 5
"""How many are named of those who use most."""

STEPS = {"today": "by hour", "week": "by 6 h", "month": "by day", "": "by day"}
"""What a bar stands for."""

_THOUSAND = 1000
_RATES = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s")


def during(over: str, start: int) -> str:
    """Name a time."""
    if over == "today":
        return "today (UTC)"
    return "in 7 days" if over == "week" else f"in {datetime.fromtimestamp(start, UTC):%B}"


def title(who: Who) -> str:
    """Name whose traffic it is."""
    return "all together" if who == ALL else who.name


def nothing(when: str) -> str:
    """Say that there is nothing to tell yet."""
    return f"No traffic was measured {when} yet."


def used(who: Who, when: str, amount: Amount, allowance: int | None) -> str:
    """Return what was used of how much, without a full stop."""
    of = f" of {size(allowance)}" if allowance else ""
    if not amount.total:
        return f"{title(who)} used nothing{of} {when}"
    share = f" ({percent(amount.total, allowance)})" if allowance else ""
    both = f"{size(amount.received)} received, {size(amount.sent)} sent"
    return f"{title(who)} used {size(amount.total)}{of}{share} {when}: {both}"


def part(amount: Amount, owner: str, allowance: int) -> str:
    """Say how much of its owner's part a machine takes."""
    return f"{percent(amount.total, allowance)} of {owner}'s {size(allowance)}"


def ahead(outlook: Outlook, allowance: int | None) -> str:
    """Say how the month is going to end, and when nothing is left."""
    over = outlook.used - allowance if allowance else -1
    spent = [f"{size(over)} over"] if over > 0 else ["used up"] if not over else []
    if outlook.projected is None:
        return "; ".join([*spent, "too early for a projection"])
    words = [*spent, f"projected {_of(outlook.projected, allowance)}"]
    if outlook.differ and outlook.linear is not None:
        words[-1] += f", evenly {_of(outlook.linear, allowance)}"
    out = outlook.runs_out(allowance) if allowance and not spent else None
    return "; ".join([*words, *([f"used up on {date(out)}"] if out else [])])


def _of(amount: int, allowance: int | None) -> str:
    return f"{size(amount)} ({percent(amount, allowance)})" if allowance else size(amount)


def date(at: int) -> str:
    """Return an instant to the minute, in UTC as the months are."""
    instant = datetime.fromtimestamp(at, UTC)
    return f"{instant:%a} {instant.day} {instant:%b %H:%M} UTC"


def rate(bytes_a_second: Fraction) -> str:
    """Return a rate as it is billed, in bits a second.

    >>> rate(Fraction(125)), rate(Fraction(400_000)), rate(Fraction(10**9))
    ('1 kbit/s', '3.2 Mbit/s', '8 Gbit/s')
    """
    bits, unit = float(bytes_a_second * 8), 0
    while round(bits, 1) >= _THOUSAND and unit < len(_RATES) - 1:
        bits, unit = bits / _THOUSAND, unit + 1
    return f"{bits:.1f}".removesuffix(".0") + f" {_RATES[unit]}"


def p95(billed: Billed, of: str = "") -> str:
    """Return the 95th percentile with its coverage, as the counts that can be checked."""
    intervals = "1 interval" if billed.intervals == 1 else f"{billed.intervals:,} intervals"
    return f"95th percentile{of} {rate(billed.rate)} (from {billed.measured:,} of {intervals})"


def percent(amount: int, allowance: int) -> str:
    """Return a part in whole percent, rounded down: 100 % is all of it."""
    return f"{amount * 100 // allowance} %"


def users(
    used: Mapping[str, int],
    parts: Mapping[str, int] | None = None,
    fair: Mapping[str, Fraction] | None = None,
) -> str:
    """Name who used most, with the percentage of their parts, and who used more than a fair one.

    The co-op's own machines are under "".
    """
    named = [
        f"{name or 'the co-op'} {_of(total, (parts or {}).get(name))}" for name, total in most(used, TOP)
    ]
    greedy = sorted((fair or {}).items(), key=lambda one: (-one[1], one[0]))[:TOP]
    times = ", ".join(f"{name} {float(many):.1f} times" for name, many in greedy)
    said = f"most: {', '.join(named)}" if named else ""
    return f"{said}{f'; more than a fair part: {times}' if times else ''}{'.' if said else ''}"


def digest(survey: Survey, pool: int | None, over: Mapping[str, str]) -> str:
    """Return the month so far in one line, and who is going to use more than their part."""
    used, top = ALL.amount(survey.month).total, most(owners(survey.month), 1)
    parts = [f"bandwidth: {of_pool(used, pool)} {during('', survey.time.start)}"]
    parts += [f"most {name or 'the co-op'} {size(total)}" for name, total in top]
    if over:
        parts.append(f"projected over: {', '.join(f'{name} {pct}' for name, pct in over.items())}")
    return "; ".join(parts)


def of_pool(used: int, pool: int | None) -> str:
    """Return what all used of what they have."""
    return f"{size(used)} of {size(pool)} ({percent(used, pool)})" if pool else size(used)
