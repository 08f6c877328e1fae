"""The rules that are in force where the config says nothing else."""

from plugins.alerts.rules import Severity
from plugins.alerts.table import RuleTable


def _warn(name: str, scope: str, metric: str, **more: object) -> RuleTable:
    return RuleTable.model_validate({"name": name, "scope": scope, "metric": metric, **more})


def _crit(name: str, scope: str, metric: str, **more: object) -> RuleTable:
    return _warn(name, scope, metric, severity=Severity.CRIT, **more)


_HOSTS = (
    _crit("load", "host", "load", raise_at=4, clear_at=3, hold=180, per_cpu=True),
    _warn("cpu-pressure", "host", "pressure-cpu", raise_at=60, clear_at=40, hold=300),
    _warn("memory-pressure", "host", "pressure-memory", raise_at=20, clear_at=10, hold=300),
    _warn("io-pressure", "host", "pressure-io", raise_at=40, clear_at=20, hold=300),
    _crit("memory", "host", "memory", raise_at=95, clear_at=90, hold=120),
    _warn("swap", "host", "swap", raise_at=80, clear_at=60, hold=600),
    _warn("disk", "host", "disk", raise_at=85, clear_at=80, hold=60),
    _crit("disk-full", "host", "disk", raise_at=95, clear_at=92, hold=60),
    _warn("disk-fills", "host", "disk-days", raise_at=10, clear_at=12, hold=600),
    _crit("disk-full-soon", "host", "disk-days", raise_at=3, clear_at=4, hold=600),
    _crit("host-silent", "host", "silent", hold=30),
)
_MACHINES = (
    _warn("crashed", "machine", "crashed"),
    _warn("silent", "machine", "silent", hold=60),
    _warn(
        "excess-use",
        "machine",
        "cpu",
        raise_at="policy:excess-use.cpu_pct",
        hold="policy:excess-use.cpu_minutes",
        free="policy:excess-use.free",
        to="both",
    ),
    _warn(
        "memory-share",
        "machine",
        "memory-share",
        raise_at="policy:excess-use.memory_pct",
        hold=900,
        to="both",
    ),
    _warn("disk-share", "machine", "disk-share", raise_at="policy:excess-use.disk_soft_pct", to="owner"),
    _warn("disk-share-full", "machine", "disk-share", raise_at="policy:excess-use.disk_hard_pct", to="both"),
    _warn("traffic-spike", "machine", "traffic-spike", raise_at=10, clear_at=3, hold=120, to="both"),
)
_MEMBERS = (
    _warn("bandwidth", "member", "bandwidth", raise_at="policy:bandwidth.warn_at_pct", to="owner"),
    _warn("bandwidth-full", "member", "bandwidth", raise_at="policy:bandwidth.full_at_pct", to="owner"),
    _warn(
        "bandwidth-projected",
        "member",
        "bandwidth-projected",
        raise_at="policy:bandwidth.projected_at_pct",
        hold=3600,
        to="owner",
    ),
    _warn(
        "bandwidth-burn",
        "member",
        "bandwidth-hours",
        raise_at="policy:bandwidth.burn_hours",
        hold=300,
        to="owner",
    ),
)

DEFAULTS = (*_HOSTS, *_MACHINES, *_MEMBERS)
