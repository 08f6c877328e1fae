"""Tells how the co-op's physical hosts are, and who uses them."""

from plugins.hosts import answers, commands, usage
from plugins.hosts.declared import plugin

__all__ = ["answers", "commands", "plugin", "usage"]
