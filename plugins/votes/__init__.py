"""The group decides in the channel: motions, ballots and certificates."""

from plugins.votes import casting, moving, reading, timed
from plugins.votes.declared import plugin

__all__ = ["casting", "moving", "plugin", "reading", "timed"]
