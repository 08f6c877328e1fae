"""What all verbs share: the config, and lines on standard output. Nothing heavy is imported here."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from bot.config import Config, find, load


def configured(args: Namespace) -> Config:
    """Read the config that the command line, the environment or the usual places name."""
    home = Path(os.environ.get("HOME") or "/")
    named = None if args.config is None else args.config.expanduser()
    return load(find(named, os.environ, Path.cwd(), home))


def advice_on_networks(config: Config) -> tuple[str, ...]:
    """Say what is odd, if nothing wrong: a bot without any network."""
    return () if config.networks else ("no network: nobody can talk to it",)


def say(line: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{line}\n")
