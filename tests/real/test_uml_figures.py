"""What a real guest uses, by two ways of measuring it."""

from typing import Any

import psutil
import pytest

from bot.coop.machines import Machine

pytestmark = pytest.mark.real

Site = Any

WORK = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
"""A process of its own works; when it ends, what it has used is its main process'."""


async def test_the_processor_time_of_a_guest_is_that_of_all_that_ran_in_it(
    site: Site, machine: Machine
) -> None:
    bot = site.bot()
    pid = (await bot.start(machine)).pid
    before = (await bot.usage(machine)).cpu_seconds
    for _ in range(2):
        assert (await bot.run(machine, f"sh -c '{WORK}'; for i in 1 2 3 4 5; do /bin/true; done")).status == 0
    after = (await bot.usage(machine)).cpu_seconds
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    assert sum(sum(one.cpu_times()[:4]) for one in family) == pytest.approx(after, abs=0.2)
    assert after - before > 0.1, (before, after)
