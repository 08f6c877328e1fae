"""Who can be reached directly now: who shows presence to us, or spoke to us. Pure."""

from collections import OrderedDict
from dataclasses import dataclass, field

MOST = 2000
"""Addresses that are remembered of each kind; the oldest goes first."""


@dataclass(slots=True)
class People:
    """The full JIDs that showed presence, and those that spoke directly, by bare JID; newest last."""

    _present: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)
    _spoke: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def came(self, bare: str, resource: str) -> None:
        """Note that somebody is there."""
        self._present[bare, resource] = None
        self._present.move_to_end((bare, resource))
        if len(self._present) > MOST:
            self._present.popitem(last=False)

    def went(self, bare: str, resource: str) -> None:
        """Note that somebody has gone; without a resource all of them."""
        gone = [key for key in self._present if key[0] == bare and resource in {"", key[1]}]
        for key in gone:
            del self._present[key]
        if self._spoke.get(bare) in {f"{bare}/{resource}", bare}:
            del self._spoke[bare]

    def spoke(self, bare: str, full: str) -> None:
        """Note from where somebody spoke to us."""
        self._spoke[bare] = full
        self._spoke.move_to_end(bare)
        if len(self._spoke) > MOST:
            self._spoke.popitem(last=False)

    def is_there(self, bare: str) -> bool:
        """Tell whether somebody shows presence, or spoke to us."""
        return bare in self._spoke or any(key[0] == bare for key in self._present)
