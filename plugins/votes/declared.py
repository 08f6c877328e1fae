"""The plugin itself, which its modules add to."""

from bot import Plugin

plugin = Plugin("votes")
