"""A rule as the config writes it."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from plugins.alerts.metrics import FLAGS, KNOWN
from plugins.alerts.rules import CLEAR_FOR, Scope, Severity, To

POLICY = "policy:"
MOST = 1e15
_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


def _reference(text: str) -> str:
    if not re.fullmatch(rf"{POLICY}[a-z][a-z0-9_.-]*", text):
        raise ValueError(f"{text} is neither a number nor a policy's, like policy:bandwidth.warn_at_pct")
    return text


def _free(text: str) -> str:
    if text and not text.startswith(POLICY) and not _HOURS.fullmatch(text):
        raise ValueError(f"{text} is neither hours like 22:00-06:00 nor a policy's like policy:NAME.KEY")
    return _reference(text) if text.startswith(POLICY) else text


def _number(given: float | str) -> float | str:
    if isinstance(given, str):
        return _reference(given)
    if not 0 <= given <= MOST:
        raise ValueError(f"{given:g} is no number from 0 to {MOST:g}")
    return given


Number = Annotated[float | str, AfterValidator(_number)]


class RuleTable(BaseModel):
    """`[[plugins.alerts.rule]]`: what is bad, from when on, and until when.

    A number may be `policy:NAME.KEY`. `for` and `clear_for` are seconds; of a policy's key in minutes or
    hours, those. `to` says who hears of it: the alerts' place, the owner of the machine (or the member) and,
    of what is critical, that place too, or both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    scope: Scope = "host"
    metric: str
    severity: Severity = Severity.WARN
    raise_at: Annotated[Number, Field(alias="raise")] = 1
    clear_at: Annotated[Number | None, Field(alias="clear")] = None
    hold: Annotated[Number, Field(alias="for")] = 0
    per_cpu: bool = False
    clear_for: Number = CLEAR_FOR
    free: Annotated[str, AfterValidator(_free)] = ""
    to: To = "alerts"
    text: Annotated[str, Field(max_length=40)] = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.metric not in KNOWN[self.scope]:
            known = ", ".join(sorted(KNOWN[self.scope]))
            raise ValueError(
                f"rule {self.name}: a {self.scope} has no metric {self.metric}; there is {known}"
            )
        if self.metric not in FLAGS and "raise_at" not in self.model_fields_set:
            raise ValueError(f"rule {self.name}: raise is missing: from which {self.metric} on it is bad")
        if self.per_cpu and self.scope != "host":
            raise ValueError(f"rule {self.name}: per_cpu is for hosts")
        if self.to != "alerts" and self.scope == "host":
            raise ValueError(f"rule {self.name}: a host has no owner to tell")
        if self.metric in FLAGS and (self.raise_at != 1 or self.clear_at is not None):
            raise ValueError(
                f"rule {self.name}: {self.metric} is true or not, it takes no raise and no clear"
            )
        return self
