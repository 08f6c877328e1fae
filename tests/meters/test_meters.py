from pathlib import Path

import psutil
import pytest

from bot.errors import HypervisorFault, NotFound
from bot.meters.fake import FakeMeter
from bot.meters.host import HostMeter, read_pressure
from bot.ports import Meter
from bot.runtime.clock import SystemClock


@pytest.fixture(params=["host", "fake"])
def meter(request: pytest.FixtureRequest, tmp_path: Path) -> Meter:
    if request.param == "host":
        return HostMeter({"ford": tmp_path}, SystemClock())
    return FakeMeter(("ford",), SystemClock())


async def test_a_reading_makes_sense(meter: Meter) -> None:
    reading = await meter.read("ford")
    assert reading.name == "ford"
    assert reading.cpus >= 1
    assert len(reading.load) == 3
    assert 0 < reading.memory_available <= reading.memory_total
    assert 0 < reading.disk_free <= reading.disk_total
    assert reading.boot < SystemClock().now()
    assert all(0 <= percent <= 100 for percent in reading.pressure.values())


async def test_no_other_host_is_measured(meter: Meter) -> None:
    with pytest.raises(NotFound, match="zaphod"):
        await meter.read("zaphod")


async def test_a_folder_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(HypervisorFault, match="ford cannot be measured"):
        await HostMeter({"ford": tmp_path / "gone"}, SystemClock()).read("ford")


async def test_figures_are_the_hosts(tmp_path: Path) -> None:
    reading = await HostMeter({"ford": tmp_path}, SystemClock()).read("ford")
    assert reading.memory_total == psutil.virtual_memory().total
    assert abs(reading.boot.timestamp() - psutil.boot_time()) < 5


def test_pressure_is_read_where_the_kernel_tells_it(tmp_path: Path) -> None:
    (tmp_path / "cpu").write_text("some avg10=12.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00\n")
    (tmp_path / "io").write_text("nonsense")
    assert read_pressure(tmp_path) == {"cpu": 12.5}
    assert read_pressure(tmp_path / "none") == {}


async def test_a_fake_host_is_as_it_is_told_to_be() -> None:
    meter = FakeMeter(("ford",), SystemClock())
    meter.set("ford", load=(14.2, 9.0, 4.0))
    assert (await meter.read("ford")).load == (14.2, 9.0, 4.0)
    meter.fail("ford", "no route")
    with pytest.raises(HypervisorFault, match="no route"):
        await meter.read("ford")
    meter.set("ford", cpus=4)
    assert (await meter.read("ford")).cpus == 4
