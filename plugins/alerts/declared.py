"""The plugin that the modules of this folder add to, and its table of the config."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from bot import Plugin
from plugins.alerts.defaults import DEFAULTS
from plugins.alerts.table import RuleTable


def _ours(name: str) -> str:
    known = sorted(one.name for one in DEFAULTS)
    if name not in known:
        raise ValueError(f"there is no rule {name} of ours; there is {', '.join(known)}")
    return name


class Settings(BaseModel):
    """`[plugins.alerts]`: who is on call, and what is watched; a rule takes the place of ours of its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_call: tuple[str, ...] = ()
    off: tuple[Annotated[str, AfterValidator(_ours)], ...] = ()
    rule: tuple[RuleTable, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [one.name for one in self.rule]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two rules are called {twice[0]}")
        return self

    @property
    def tables(self) -> tuple[RuleTable, ...]:
        """All rules in force."""
        own = {one.name: one for one in DEFAULTS if one.name not in self.off}
        return tuple((own | {one.name: one for one in self.rule}).values())


plugin = Plugin("alerts", Settings)
