"""The verbs and their words. Each verb names its function as module:function, imported when it is used."""

import argparse
from pathlib import Path
from typing import NoReturn

from bot.errors import ConfigError


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; it raises ConfigError for wrong use."""
    top = _Parser("shipboard", description="Eddie, the bot of a hosting co-op.", allow_abbrev=False)
    top.add_argument("--config", type=Path, metavar="FILE", help="the config file")
    verbs = _Verbs(top)
    verbs.add("run", "serve:run", "run the bot in the foreground, until SIGTERM")
    verbs.add("demo", "serve:demo", "try it: a small co-op on an IRC server of its own")
    verbs.add("init", "setup:init", "make a config and its folders", "DIR")
    check = verbs.add("check", "setup:check", "check config, policies, plugins and database")
    check.add_argument("--live", action="store_true", help="ask the running bot how it is")
    _people(verbs.group("member", "who belongs to the co-op"))
    _machines(verbs.group("machine", "the virtual machines"))
    votes, what = (
        verbs.group("vote", "what the co-op decided"),
        "write a closed vote's certificate and events",
    )
    votes.add("export", "papers:vote", what, "NUMBER", "FOLDER")
    verbs.add("backup", "books:backup", "copy the database, also while the bot runs", "FILE")
    verify = verbs.add("verify", "books:verify", "prove that nobody rewrote what is chained")
    verify.add_argument("--head", metavar="HEX", help="a head that was published: 12 to 64 hex digits")
    when = verbs.add("when", "times:when", "the next dates of a time expression", "EXPRESSION")
    when.add_argument("--zone", default="UTC", help="where the expression names none; left out: UTC")
    when.add_argument("--from", dest="start", metavar="ISO", help="dates after this; left out: now")
    when.add_argument("--count", type=int, default=3, metavar="N", help="how many at most; left out: 3")
    verbs.add("tally", "tally:tally", "count ballots from a file", "FILE")
    verbs.add("version", "serve:version", "tell the version")
    return top


class _Verbs:
    """The verbs of one parser; each accepts --config too, which then wins over one before the verb."""

    def __init__(self, of: argparse.ArgumentParser) -> None:
        self._all = of.add_subparsers(required=True, metavar="VERB", parser_class=_Parser)

    def add(self, name: str, verb: str, text: str, *words: str) -> argparse.ArgumentParser:
        """Add a verb with its function and the words that must follow it."""
        made = self._all.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS)
        made.set_defaults(verb=verb)
        for word in words:
            made.add_argument(word.lower(), metavar=word)
        return made

    def group(self, name: str, text: str) -> "_Verbs":
        """Add a first word that has verbs of its own."""
        made = self._all.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS)
        return _Verbs(made)


def _people(verbs: _Verbs) -> None:
    add = verbs.add("add", "people:add", "take a person into the co-op", "NAME")
    add.add_argument("--role", choices=("admin", "member"), default="member")
    add.add_argument("--share", choices=("full", "half"), default="full")
    proof = "a services account or a Jabber address; may come several times"
    add.add_argument("--identity", action="append", default=[], metavar="NETWORK:SUBJECT", help=proof)
    bind = verbs.add("identity", "people:identity", "bind an identity to a member", "NAME")
    bind.add_argument("identity", metavar="NETWORK:SUBJECT")
    verbs.add("list", "people:show", "list the members")


def _machines(verbs: _Verbs) -> None:
    add = verbs.add("add", "machines:add", "enter a machine", "NAME")
    add.add_argument("--owner", required=True, metavar="MEMBER", help="a member, or co-op")
    add.add_argument("--host", required=True, help="one of the config's [hosts.NAME]")
    add.add_argument("--share", choices=("full", "half"), default="full")
    add.add_argument("--memory", type=int, metavar="MIB", help="left out: what the host gives")
    add.add_argument("--kernel", type=Path, metavar="FILE")
    add.add_argument("--initrd", type=Path, metavar="FILE")
    add.add_argument("--disk", type=Path, metavar="FILE")
    verbs.add("list", "machines:show", "list the machines")
