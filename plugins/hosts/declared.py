"""The plugin that the modules of this folder add to."""

from bot import Plugin

plugin = Plugin("hosts")
