"""What plugins show on the command line, also while the bot runs: shipboard vote export, and for verify."""

from argparse import Namespace
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from shlex import quote

from sqlite_utils import Database

from bot.cli.basics import configured, say
from bot.cli.desk import reading
from bot.cli.house import one_house
from bot.config import Config
from bot.core.plugin import Plugin
from bot.errors import ConfigError, PluginError
from bot.runtime import loader

CHECKER = "check_certificate.py"
"""What checks a certificate without the bot; it is with the documentation."""


def vote(args: Namespace) -> int:
    """Write the certificate of a vote and the events that prove it."""
    certificate, events = write(exported(configured(args), "votes", args.number), Path(args.folder))
    say(f"{certificate} and {events} are written; anybody can check them without the bot:")
    say(f"python3 {CHECKER} {quote(str(certificate))} {quote(str(events))}")
    return 0


def exported(config: Config, name: str, word: str) -> Mapping[str, str]:
    """Return what a plugin of ours exports, each file's text by its name; Refusal says why not."""
    exporter = _own(name).exporter
    if exporter is None:
        raise PluginError(f"plugin {name}: it has nothing to export")
    with reading(config) as db:
        files: Mapping[str, str] = exporter(db, word)
    return files


def faults(db: Database, chains: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Return what is wrong in the tables behind some chains, by plugin, for those that can tell."""
    found = (name for name in loader.own_names() if any(chain.startswith(f"{name}_") for chain in chains))
    verifiers = ((name, _own(name).verifier) for name in found)
    return {name: tuple(verifier(db)) for name, verifier in verifiers if verifier is not None}


def _own(name: str) -> Plugin:
    one_house()
    return next(one.plugin for one in loader.load((name,), ()).loaded if one.plugin.name == name)


def write(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Write files into a folder, made if need be; ConfigError if another one of that name is there."""
    paths = {folder.expanduser() / name: text for name, text in files.items()}
    for path, text in paths.items():
        if path.exists() and path.read_text("utf-8", "replace") != text:
            raise ConfigError(f"{path}: is there already, and another one; choose another folder")
    folder.expanduser().mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        path.write_text(text, "utf-8")
    return list(paths)
