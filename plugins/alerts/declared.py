"""The plugin that the modules of this folder add to, and its table of the config."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from bot import Plugin
from plugins.alerts.defaults import DEFAULTS
from plugins.alerts.table import RuleTable


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
