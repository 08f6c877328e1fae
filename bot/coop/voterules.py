"""The rules of one type of motion: who may, how long, how it is counted. Fractions are pairs of integers."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Ballot = Literal["yesno", "plurality", "approval", "irv", "schulze", "lazy"]

FLOOR_HOURS, EMERGENCY_FLOOR_HOURS = 72, 12
"""The shortest window that a vote may give ballots of its kind, and those of an emergency."""

LONGEST_DAYS = 3650
"""The longest time that rules may name, and their largest number: beyond it nobody is there to see an end."""

HALF, TWO_THIRDS = Fraction(1, 2), Fraction(2, 3)
"""The lowest thresholds that a vote may set, in general and for asking somebody to leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRules:
    """The rules of a type of motion, as they are in force for it.

    `quorum_*` is the part of the electorate, by heads (`members`) or half-units (`weight`), that must cast
    anything, and never fewer than `quorum_min` people. `yes_*` is the part of what `yes_of` names (`cast`:
    yes and no; `present`: abstentions too; `all`: the electorate) that must say yes: more than it where
    `yes_strict`, else as much. More than `max_no` noes defeat it, -1 being no limit. Where `veto`
    is true one no with a reason stops it, unless the ayes reach `veto_override_*` of the same whole, 0 being
    never. ValueError for what makes no rule.
    """

    proposers: Literal["member", "admin"] = "member"
    seconds: int = 1
    second_within_days: int = 7
    discussion_hours: int = 72
    discussion_max_days: int = 21
    open_hours: int = 168
    min_open_hours: int = 72
    weight: Literal["member", "share"] = "member"
    ballot: Ballot = "yesno"
    secrecy: Literal["open", "secret"] = "open"
    quorum_basis: Literal["members", "weight"] = "members"
    quorum_num: int = 1
    quorum_den: int = 3
    quorum_min: int = 3
    yes_of: Literal["cast", "present", "all"] = "cast"
    yes_num: int = 1
    yes_den: int = 2
    yes_strict: bool = True
    max_no: int = -1
    veto: bool = False
    veto_override_num: int = 0
    veto_override_den: int = 1
    tie: Literal["fails", "lot"] = "fails"
    early_close: Literal["never", "all-voted"] = "all-voted"
    recuse: Literal["subject", "none"] = "subject"
    extend_on_outage: bool = True
    appeal_days: int = 7
    answer_hours: int = 0
    effect_after_days: int = 0
    default_option: str = ""
    seats: int = 1
    on_objection: str = ""
    expires_days: int = 0

    def __post_init__(self) -> None:
        least = {"quorum_den": 1, "yes_den": 1, "yes_num": 1, "seats": 1, "open_hours": 1, "max_no": -1}
        least["veto_override_den"] = 1
        for name in type(self).__slots__:
            value = getattr(self, name)
            if isinstance(value, int) and value < least.get(name, 0):
                raise ValueError(f"{name} = {value} is too small")
            if isinstance(value, int) and value > LONGEST_DAYS * (24 if name.endswith("_hours") else 1):
                raise ValueError(f"{name} = {value} is too large")
        for what in ("quorum", "yes", "veto_override"):
            num, den = getattr(self, f"{what}_num"), getattr(self, f"{what}_den")
            if num > den:
                raise ValueError(f"{what}_num = {num} is more than {what}_den = {den}")
        if self.yes_strict and self.yes_num == self.yes_den:
            raise ValueError("yes_strict asks for more than everything")
        self._check_veto()

    def _check_veto(self) -> None:
        if not self.veto:
            return
        if self.ballot != "yesno" or self.secrecy != "open":
            raise ValueError('a veto needs ballot = "yesno" and secrecy = "open": here veto must be false')
        override = Fraction(self.veto_override_num, self.veto_override_den)
        if override and override < Fraction(self.yes_num, self.yes_den):
            raise ValueError(f"veto_override = {override} is less than what passes without a veto")

    @property
    def threshold(self) -> str:
        """What must say yes, in words: "more than 1/2 of the votes cast"."""
        of = {"cast": "the votes cast", "present": "all ballots", "all": "the whole electorate"}[self.yes_of]
        more = "more than" if self.yes_strict else "at least"
        return f"{more} {self.yes_num}/{self.yes_den} of {of}"

    @property
    def veto_rule(self) -> str:
        """What a veto does, in words: "a veto stops it below 3/4" of what the threshold is of; or nothing."""
        if not self.veto:
            return ""
        part = f"{self.veto_override_num}/{self.veto_override_den}"
        return f"a veto stops it below {part}" if self.veto_override_num else "a veto stops it"

    @property
    def quorum(self) -> str:
        """How many must take part, in words: "1/3 of the members and at least 3 people"."""
        of = "members" if self.quorum_basis == "members" else "shares"
        if not self.quorum_num:
            return "none"
        return f"{self.quorum_num}/{self.quorum_den} of the {of} and at least {self.quorum_min} people"


def below_floor(kind: str, rules: VoteRules) -> str | None:
    """Name what a vote may not set so low, whatever its majority; None where all is well.

    The floors bind what the group changes by a vote; an operator's edit of the files is theirs to answer for.
    """
    hours = EMERGENCY_FLOOR_HOURS if kind == "emergency" else FLOOR_HOURS
    least = TWO_THIRDS if kind == "expel" else HALF
    if rules.open_hours < hours or rules.min_open_hours < hours:
        return f"vote.{kind}: a ballot must stay open for {hours} h at least"
    if Fraction(rules.yes_num, rules.yes_den) < least and rules.ballot != "lazy":
        return f"vote.{kind}: the threshold cannot be below {least}"
    if kind == "expel" and rules.yes_of != "all":
        return "vote.expel: the threshold is of the whole electorate"
    return None
