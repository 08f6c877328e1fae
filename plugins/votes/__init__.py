"""The group decides in the channel: motions, ballots and certificates."""

from plugins.votes.declared import plugin

__all__ = ["plugin"]
