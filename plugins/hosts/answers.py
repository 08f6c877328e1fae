"""What others are told of hosts: how many there are, the week's load, and figures for alerts."""

from bot import (
    Clock,
    DigestPart,
    Figure,
    Figures,
    Meter,
    Policies,
    Roster,
    Samples,
    StatusPart,
)
from plugins.hosts import texts, watch
from plugins.hosts.declared import plugin
from plugins.hosts.rows import DAY, HOUR, days_until_full, used

WEEK = 7 * DAY


@plugin.answers(StatusPart)
async def status_part(_: StatusPart, meter: Meter) -> str:
    """Count the hosts."""
    return f"hosts: {len(meter.hosts())}"


@plugin.answers(DigestPart)
async def digest_part(_: DigestPart, clock: Clock, meter: Meter, samples: Samples) -> str | None:
    """Tell the week's load of each host."""
    until = int(clock.now().timestamp())
    rows = [(host, await samples.series("host", host, HOUR, until - WEEK, until)) for host in meter.hosts()]
    found = [(host, used(hours)) for host, hours in rows if hours]
    return texts.digest(found) if found else None


@plugin.answers(Figures)
async def figures(
    question: Figures, policies: Policies, roster: Roster, samples: Samples
) -> tuple[Figure, ...] | None:
    """Tell in how many days each host's disk is full, and how much of its share each machine takes."""
    tick, until = samples.latest(), int(question.at.timestamp())
    if tick is None:
        return None
    found: list[Figure] = []
    for name, host in tick.hosts.items():
        rows = await samples.series("host", name, HOUR, until - WEEK, until)
        days = days_until_full(rows, host.disk_total, host.disk_used) if host else None
        found += [] if days is None else [Figure("host", name, "disk-days", days)]
    book = policies.book()
    for machine in await roster.machines():
        if machine.name in tick.machines:
            found += watch.of_share(machine, tick.machines[machine.name], book)
    return tuple(found)
