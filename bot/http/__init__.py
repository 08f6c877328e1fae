"""The bot's own metrics and its health over HTTP, on loopback; off unless the config has `[http]`."""
