"""Counts what members use of the month's transfer, and tells how it goes on."""

from plugins.bandwidth import answers, commands
from plugins.bandwidth.declared import plugin

__all__ = ["answers", "commands", "plugin"]
