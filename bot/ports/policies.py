"""The policies in force, and how a vote changes their numbers."""

from collections.abc import Sequence
from typing import Protocol

from bot.coop.policy import Change, PolicyBook
from bot.ports.store import Tx


class Policies(Protocol):
    """The folder of policies; `amend` alone changes it while the bot runs."""

    def book(self) -> PolicyBook:
        """Return what is in force now."""

    def amended(self, changes: Sequence[Change]) -> PolicyBook:
        """Return what would be in force with these numbers; Conflict where a vote may not set one so."""

    def amend(self, tx: Tx, changes: Sequence[Change]) -> PolicyBook:
        """Put the numbers in force with the transaction; Conflict like `amended`. Then call `settle`."""

    async def settle(self) -> None:
        """Write to the files what was decided."""
