"""The bot's own metrics and its health over HTTP, on loopback; off unless the config has `[http]`."""

from importlib.util import find_spec

from bot.config import Config
from bot.errors import ConfigError


def check(config: Config) -> None:
    """See that what makes the metrics is there where they are wanted; ConfigError with what installs it."""
    if config.http is not None and find_spec("prometheus_client") is None:
        raise ConfigError("http: prometheus-client is missing: in a checkout, pip install '.[http]'")
