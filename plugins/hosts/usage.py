"""`!load` and `!top`: how busy a host is and was, and by whom."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from bot import (
    About,
    Actor,
    Clock,
    Conflict,
    Reply,
    Roster,
    Samples,
    Slot,
    Tick,
    members,
    sparkline,
    view,
)
from plugins.hosts import drawing, texts
from plugins.hosts.declared import plugin
from plugins.hosts.rows import HOUR, WINDOWS, Window, bars, busiest, known, pieces, used

BUSIEST = 5


@plugin.command("load", allow=members, reads=True)
async def load(
    host: str | None = None,
    over: Literal["today", "week", "month", "ascii"] | None = None,
    style: Literal["ascii"] | None = None,
    *,
    about: About,
    actor: Actor,
    clock: Clock,
    samples: Samples,
) -> Reply:
    """Show a host's load now and over the last 24 hours, 7 or 30 days, as bars."""
    asked = view(host, over, style)
    tick, window, until = measured_now(samples), WINDOWS[asked.over], int(clock.now().timestamp())
    name = known(asked.name, tuple(tick.hosts))
    host_now = tick.hosts[name]
    rows = await samples.series("host", name, window.step, window.start(until), window.end(until))
    line = f"{texts.now(name, host_now)}."
    if not rows:
        return Reply((f"{line} No history yet.",))
    cpus = host_now.cpus if host_now else None
    shown = f"{line} {window.words}: {sparkline(bars(rows, window, until), ascii=asked.ascii)}"
    told = texts.past(used(rows), cpus) if asked.over else f" peak {max(row.load_peak for row in rows):.1f}"
    zone = (actor.member and actor.member.zone) or about.zone
    return Reply((f"{shown}{told}",), picture=drawing.chart(name, rows, window, until, cpus, zone))


@plugin.command("top", allow=members, reads=True)
async def top(
    samples: Samples,
    clock: Clock,
    roster: Roster,
    host: str | None = None,
    over: Literal["today", "week", "month"] | None = None,
) -> str:
    """Name the machines that use most of a host, now or over a time, in percent of one processor."""
    asked = view(host, over)
    tick = measured_now(samples)
    name = known(asked.name, tuple(tick.hosts))
    if not asked.over:
        there = texts.users(tick.busiest(name, BUSIEST))
        return f"{texts.now(name, tick.hosts[name])}; {there or 'no machine uses it'}."
    window = WINDOWS[asked.over]
    machines = [machine.name for machine in await roster.machines() if machine.host == name]
    users = await _over(samples, name, machines, window, int(clock.now().timestamp()))
    return f"{name} over {window.words}: {users}."


async def _over(samples: Samples, host: str, machines: Sequence[str], window: Window, until: int) -> str:
    """Return who used most of a host; a machine that was down used nothing then."""
    start = until // HOUR * HOUR - window.count * window.bar
    ticks = sum(row.samples for row in await _rows(samples, "host", host, start, until))
    if not ticks:
        return "no history yet"
    rows = await asyncio.gather(*(_rows(samples, "machine", name, start, until) for name in machines))
    means = {name: used(found, ticks) for name, found in zip(machines, rows, strict=True)}
    return texts.users_over(busiest(means, BUSIEST)) or "no machine used it"


async def _rows(samples: Samples, kind: str, name: str, start: int, until: int) -> list[Slot]:
    found = [await samples.series(kind, name, *piece) for piece in pieces(start, until)]
    return [row for piece in found for row in piece]


def measured_now(samples: Samples) -> Tick:
    """Return the newest tick; Conflict where there was none yet."""
    tick = samples.latest()
    if tick is None:
        raise Conflict("Nothing was measured yet; ask again in ten seconds.")
    return tick
