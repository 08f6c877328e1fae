"""Posts on time: reminders, announcements, maintenance windows, the digest and meetings."""

from plugins.posts import commands, due, windows
from plugins.posts.declared import plugin

__all__ = ["commands", "due", "plugin", "windows"]
