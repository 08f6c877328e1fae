"""The command line: shipboard VERB. Wrong use or config is one line on stderr and exit status 2."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from bot.cli.grammar import parser
from bot.errors import ShipboardError

WRONG, INTERRUPTED, PIPE_BROKEN = 2, 130, 141
"""Exit statuses: wrong use or config, Ctrl-C, a reader that went away (the latter two as a shell counts)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status; only a mistake of ours ends in a traceback."""
    try:
        args = parser().parse_args(argv)
        module, _, verb = str(args.verb).partition(":")
        status: int = getattr(import_module(f"bot.cli.{module}"), verb)(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return PIPE_BROKEN
    except OSError as error:
        _silence()
        where = f"{error.filename}: " if error.filename else ""
        return _wrong(f"{where}{error.strerror or error}")
    except ShipboardError as error:
        return _wrong(str(error))
    return status


def _wrong(text: str) -> int:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    sys.stderr.write(f"shipboard: {line}\n")
    return WRONG


def _silence() -> None:
    """Write nothing more to a standard output that cannot take it, also not at the end of the process."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
