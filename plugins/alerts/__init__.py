"""Watches hosts and machines, and tells what is wrong, once, until it is over."""

from plugins.alerts import answers, commands, deeds
from plugins.alerts.declared import plugin

__all__ = ["answers", "commands", "deeds", "plugin"]
