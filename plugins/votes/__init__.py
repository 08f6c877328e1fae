"""The group decides in the channel: motions, ballots and certificates."""

from plugins.votes import casting, moving, papers, reading, timed
from plugins.votes.declared import plugin

__all__ = ["casting", "moving", "papers", "plugin", "reading", "timed"]
