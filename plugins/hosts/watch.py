"""How much of what its share gets a machine takes, for alerts. Pure."""

from collections.abc import Iterator

from bot.words import Figure, Machine, MachineSample, PolicyBook

MIB, GIB = 2**20, 2**30


def of_share(machine: Machine, sample: MachineSample, book: PolicyBook) -> Iterator[Figure]:
    """Yield its memory and disk in percent of what the policies give its share; what was not measured not.

    A machine that is down takes no memory, so that what was bad is seen to be over.
    """
    memory = 0 if sample.state is not None and not sample.state.is_up else sample.memory
    for measure, value, key, unit in (
        ("memory-share", memory, "memory_mib", MIB),
        ("disk-share", sample.disk, "disk_gib", GIB),
    ):
        part = _part(book, machine, key) * unit
        if value is not None and part:
            yield Figure("machine", machine.name, measure, value * 100 / part)


def _part(book: PolicyBook, machine: Machine, key: str) -> int:
    try:
        return book.allowance(machine.share, key)
    except KeyError:
        return 0
