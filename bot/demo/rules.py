"""The demo's policies: the shipped ones, by which a vote takes seconds and not weeks."""

import re
import shutil
from pathlib import Path

from bot.demo.coop import POLICIES
from bot.paths import share

QUICK = ("discussion_hours", "min_tenure_days")
"""What nobody waits for here: a motion opens with its last second, and whoever is new may vote at once."""


def provide(folder: Path) -> None:
    """Copy the policies into the demo's folder, anew, without these times."""
    policies = folder / POLICIES
    shutil.rmtree(policies, ignore_errors=True)
    shutil.copytree(share("policies"), policies)
    voting = policies / "voting.md"
    text = voting.read_text(encoding="utf-8")
    voting.write_text(re.sub(rf"(?m)^({'|'.join(QUICK)}) = \d+$", r"\1 = 0", text), encoding="utf-8")
