"""shipboard run | demo | version."""

import sys
import tomllib
from argparse import Namespace
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

from bot.cli.basics import advice_on_networks, configured, say
from bot.cli.house import one_house


def run(args: Namespace) -> int:
    """Run the bot until it is told to stop."""
    one_house()
    config = configured(args)
    for advice in advice_on_networks(config):
        sys.stderr.write(f"shipboard: {advice}\n")
    return int(import_module("bot.launch").run(config) or 0)


def demo(_args: Namespace) -> int:
    """Run the demo."""
    one_house()
    return int(import_module("bot.demo").main() or 0)


def version(_args: Namespace) -> int:
    """Tell the version: the installed one, or the checkout's."""
    try:
        number = installed("shipboard")
    except PackageNotFoundError:
        checkout = Path(__file__).parents[2] / "pyproject.toml"
        number = tomllib.loads(checkout.read_text(encoding="utf-8"))["project"]["version"]
    say(f"shipboard {number}")
    return 0
