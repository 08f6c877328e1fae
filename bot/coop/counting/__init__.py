"""Counting ballots: integers and fractions only, each method with every number of its reasoning. Pure.

An option is a number from 0; a profile maps each different ballot to its weight in integers (members, or
half-units of shares), so that equal ballots are counted once. `winners` are always all that tie.
"""

from bot.coop.counting.ballots import (
    CHOICES,
    Options,
    Ranking,
    approvals,
    choice,
    first,
    offered,
    options,
    ranking,
    shown,
    strict,
)
from bot.coop.counting.exact import Check, grouped
from bot.coop.counting.governed import by_share, quorum, threshold
from bot.coop.counting.irv import Round, Runoff, irv
from bot.coop.counting.lot import commitment, lot, settle
from bot.coop.counting.pairwise import Matrix, pairwise
from bot.coop.counting.plurality import Scores, approval, plurality
from bot.coop.counting.schulze import Default, Defeat, Dropped, Schulze, Step, schulze
from bot.coop.counting.yesno import Count, Of, Quorum, Result, Threshold, Votes, YesNo, quorum_checks, yes_no

__all__ = [
    "CHOICES",
    "Check",
    "Count",
    "Default",
    "Defeat",
    "Dropped",
    "Matrix",
    "Of",
    "Options",
    "Quorum",
    "Ranking",
    "Result",
    "Round",
    "Runoff",
    "Schulze",
    "Scores",
    "Step",
    "Threshold",
    "Votes",
    "YesNo",
    "approval",
    "approvals",
    "by_share",
    "choice",
    "commitment",
    "first",
    "grouped",
    "irv",
    "lot",
    "offered",
    "options",
    "pairwise",
    "plurality",
    "quorum",
    "quorum_checks",
    "ranking",
    "schulze",
    "settle",
    "shown",
    "strict",
    "threshold",
    "yes_no",
]
