"""Starts, stops and looks at virtual machines."""

from plugins.vms import commands, news
from plugins.vms.declared import plugin

__all__ = ["commands", "news", "plugin"]
