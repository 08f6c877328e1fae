"""The co-op's rules of a type of motion in the words of the count."""

from fractions import Fraction

from bot.coop.counting.yesno import Of, Quorum, Threshold
from bot.coop.voterules import VoteRules


def threshold(rules: VoteRules) -> Threshold:
    """Return what passing takes under these rules."""
    part = Fraction(rules.yes_num, rules.yes_den)
    max_no = rules.max_no if rules.max_no >= 0 else None
    override = Fraction(rules.veto_override_num, rules.veto_override_den) or None
    return Threshold(
        part,
        strict=rules.yes_strict,
        of=Of(rules.yes_of),
        max_no=max_no,
        veto=rules.veto,
        override=override,
    )


def quorum(rules: VoteRules) -> Quorum:
    """Return how many must take part under these rules."""
    part = Fraction(rules.quorum_num, rules.quorum_den)
    return Quorum(part, least=rules.quorum_min, by_share=rules.quorum_basis == "weight")


def by_share(rules: VoteRules) -> bool:
    """Tell whether ballots weigh by share; those about people, which are secret, never do.

    A weight beside a secret ballot would name the only half-share's holder.
    """
    return rules.weight == "share" and rules.secrecy != "secret"
