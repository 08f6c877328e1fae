"""Where shipped files and run-time files are."""

from pathlib import Path

from bot.errors import ConfigError

_PACKAGE = Path(__file__).parent
_SHIPPED = {"policies": "policies", "seed": "data/seed", "config.example.toml": "config.example.toml"}


def share(name: str) -> Path:
    """Return a shipped file or folder: `policies`, `seed` or `config.example.toml`.

    It is beside the package in a checkout, and inside it when installed. ConfigError if the installation
    lacks it.
    """
    for path in (_PACKAGE / "_share" / name, _PACKAGE.parent / _SHIPPED[name]):
        if path.exists():
            return path
    raise ConfigError(f"this installation lacks {name}: install shipboard again")
