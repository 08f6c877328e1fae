"""The plugin that the modules of this folder add to, and its table of the config."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot import Plugin
from plugins.alerts.metrics import FLAGS, KNOWN
from plugins.alerts.rules import Severity

POLICY = "policy:"
MOST = 1e15
_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


def _reference(text: str) -> str:
    if not re.fullmatch(rf"{POLICY}[a-z][a-z0-9_.-]*", text):
        raise ValueError(f"{text} is neither a number nor a policy's, like policy:bandwidth.warn_at_pct")
    return text


def _free(text: str) -> str:
    return text if not text or _HOURS.fullmatch(text) else _reference(text)


def _number(given: float | str) -> float | str:
    if isinstance(given, str):
        return _reference(given)
    if not 0 <= given <= MOST:
        raise ValueError(f"{given:g} is no number from 0 to {MOST:g}")
    return given


Number = Annotated[float | str, AfterValidator(_number)]


class RuleTable(BaseModel):
    """`[[plugins.alerts.rule]]`: what is bad, from when on, and until when.

    A number may be `policy:NAME.KEY`. `for` are seconds; of a policy's key in minutes or hours, those.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    scope: Literal["host", "machine"] = "host"
    metric: str
    severity: Severity = Severity.WARN
    raise_at: Annotated[Number, Field(alias="raise")] = 1
    clear_at: Annotated[Number | None, Field(alias="clear")] = None
    hold: Annotated[Number, Field(alias="for")] = 0
    per_cpu: bool = False
    free: Annotated[str, AfterValidator(_free)] = ""
    text: Annotated[str, Field(max_length=40)] = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.metric not in KNOWN[self.scope]:
            known = ", ".join(sorted(KNOWN[self.scope]))
            raise ValueError(
                f"rule {self.name}: a {self.scope} has no metric {self.metric}; there is {known}"
            )
        if self.per_cpu and self.scope != "host":
            raise ValueError(f"rule {self.name}: per_cpu is for hosts")
        if self.metric in FLAGS and (self.raise_at != 1 or self.clear_at is not None):
            raise ValueError(
                f"rule {self.name}: {self.metric} is true or not, it takes no raise and no clear"
            )
        return self


def _host(name: str, metric: str, severity: Severity, limits: tuple[float, float], hold: float) -> RuleTable:
    raise_at, clear_at = limits
    return RuleTable(
        name=name, metric=metric, severity=severity, raise_at=raise_at, clear_at=clear_at, hold=hold
    )


DEFAULTS = (
    RuleTable(
        name="load", metric="load", severity=Severity.CRIT, raise_at=4, clear_at=3, hold=180, per_cpu=True
    ),
    _host("cpu-pressure", "pressure-cpu", Severity.WARN, (60, 40), 300),
    _host("memory-pressure", "pressure-memory", Severity.WARN, (20, 10), 300),
    _host("io-pressure", "pressure-io", Severity.WARN, (40, 20), 300),
    _host("memory", "memory", Severity.CRIT, (95, 90), 120),
    _host("swap", "swap", Severity.WARN, (80, 60), 600),
    _host("disk", "disk", Severity.WARN, (85, 80), 60),
    _host("disk-full", "disk", Severity.CRIT, (95, 92), 60),
    RuleTable(name="host-silent", metric="silent", severity=Severity.CRIT, hold=30),
    RuleTable(name="crashed", scope="machine", metric="crashed"),
    RuleTable(name="silent", scope="machine", metric="silent", hold=60),
    RuleTable(
        name="excess-use",
        scope="machine",
        metric="cpu",
        raise_at="policy:excess-use.cpu_pct",
        hold="policy:excess-use.cpu_minutes",
        free="policy:excess-use.free",
    ),
)


class Settings(BaseModel):
    """`[plugins.alerts]`: who is on call, and what is watched; a rule takes the place of ours of its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_call: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    rule: tuple[RuleTable, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [one.name for one in self.rule]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two rules are called {twice[0]}")
        known = {one.name for one in DEFAULTS}
        if unknown := sorted(set(self.off) - known):
            raise ValueError(
                f"off: there is no rule {unknown[0]} of ours; there is {', '.join(sorted(known))}"
            )
        return self

    @property
    def tables(self) -> tuple[RuleTable, ...]:
        """All rules in force."""
        own = {one.name: one for one in DEFAULTS if one.name not in self.off}
        return tuple((own | {one.name: one for one in self.rule}).values())


plugin = Plugin("alerts", Settings)
