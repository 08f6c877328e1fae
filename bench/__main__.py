"""Measures shipboard beside the floors: `python -m bench [--only PARTS] [--json FILE]`."""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import casting, growth, jabber, outbox, rounds, schedule, votes, watch
from bench.arithmetic import Figures, medians
from bench.bots import Bot, Failed, bots, compiled, shipboard
from bench.measures import JABBER, ON_THE_STORE, OUTBOX, PARTS, SUBJECT, WATCH, curve, report
from bench.server import Missing, Server, serving

ON_THE_NETWORK = frozenset(PARTS) - frozenset(ON_THE_STORE)
IN_ROUNDS = frozenset({"latency", "throughput", "chatter", "behind"})
EX_UNAVAILABLE = 69


@dataclass(slots=True)
class Results:
    """All that was measured: of each bot its rounds, on IRC and on Jabber, the outbox, the growth curves."""

    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    jabber: dict[str, list[Figures]] = field(default_factory=dict)
    outbox: list[Figures] = field(default_factory=list)
    watch: list[Figures] = field(default_factory=list)
    curves: dict[str, list[growth.Point]] = field(default_factory=dict)

    def add(self, bot: str, figures: Figures) -> None:
        """Keep what one round found."""
        self.rounds.setdefault(bot, []).append(figures)

    def medians(self) -> dict[str, Figures]:
        """Return each bot's medians."""
        return {bot: medians(found) for bot, found in self.rounds.items()}

    def tables(self) -> list[str]:
        """Return all that is to be shown."""
        on_jabber = {bot: medians(found) for bot, found in self.jabber.items()}
        shown = [report(self.medians())] if self.rounds else []
        shown += [report(on_jabber, JABBER)] if on_jabber else []
        shown += [report({SUBJECT: medians(self.outbox)}, OUTBOX)] if self.outbox else []
        shown += [report({SUBJECT: medians(self.watch)}, WATCH)] if self.watch else []
        return shown + [curve(points) for points in self.curves.values()]


async def run(options: argparse.Namespace) -> Results:
    """Measure what the options ask for."""
    results = Results()
    compiled()
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        if ON_THE_NETWORK & options.only:
            _make_readable(Path(folder))
            async with serving(Path(folder)) as server:
                await _on_the_network(server, options, results)
                if "jabber" in options.only:
                    results.jabber = await jabber.measure(server, options.rounds, _say, options.profile)
        if "outbox" in options.only:
            (Path(folder) / "outbox").mkdir()
            results.outbox.append(await outbox.measure(Path(folder) / "outbox"))
        if "watch" in options.only:
            _say("the watch, and a file of years")
            (Path(folder) / "watch").mkdir()
            results.watch.append(await watch.measure(Path(folder) / "watch"))
        curves = (
            ("audit", growth.audit),
            ("members", growth.members),
            ("schedule", schedule.schedule),
            ("votes", votes.votes),
            ("ballots", casting.casting),
        )
        for part, work in curves:
            if part in options.only:
                _say(f"growth of {part}")
                (Path(folder) / part).mkdir()
                results.curves[part] = await work(Path(folder) / part)
    return results


def _make_readable(folder: Path) -> None:
    """Let a server that runs as nobody read what is there."""
    folder.chmod(0o755)


async def _on_the_network(server: Server, options: argparse.Namespace, results: Results) -> None:
    found = [bot for bot in bots(options.profile) if bot.name in options.bots]
    for number in range(1, options.rounds + 1):
        if (IN_ROUNDS | {"start"}) & options.only:
            for bot in found:
                _say(f"round {number} of {options.rounds}: {bot.name}")
                results.add(bot.name, await rounds.measure(bot, server, options.only))
        if "proven" in options.only and SUBJECT in options.bots:
            _say(f"round {number} of {options.rounds}: proven members")
            known = shipboard(options.profile, rounds.speaker_names())
            results.add(SUBJECT, await rounds.measure_proven(known, server))
    if "idle" in options.only:
        await _idle(found, server, results)


async def _idle(found: Sequence[Bot], server: Server, results: Results) -> None:
    _say(f"{rounds.IDLE:.0f} s idle, all at the same time")
    for name, figures in (await rounds.idle(found, server)).items():
        results.add(name, figures)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def machine() -> dict[str, object]:
    """Return what it is measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "processor": model or platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    names = tuple(bot.name for bot in bots())
    parser.add_argument("--only", type=_choice(PARTS), default=frozenset(PARTS), help=", ".join(PARTS))
    parser.add_argument("--bots", type=_choice(names), default=frozenset(names), help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of all rounds there")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="run shipboard under cProfile")
    return parser.parse_args(argv)


class _choice:  # noqa: N801 - argparse shows its name
    def __init__(self, known: Collection[str]) -> None:
        self.known = known

    def __call__(self, text: str) -> frozenset[str]:
        words = frozenset(text.split(","))
        if unknown := words - frozenset(self.known):
            raise argparse.ArgumentTypeError(
                f"{', '.join(sorted(unknown))} is none of {', '.join(self.known)}"
            )
        return words


def main() -> int:
    """Measure, print, and return the exit status; goals that are missed do not change it."""
    wanted, on = options(), machine()
    try:
        results = asyncio.run(run(wanted))
    except (Failed, Missing) as error:
        _say(str(error))
        return EX_UNAVAILABLE
    sys.stdout.write("\n\n".join(results.tables()) + "\n")
    if wanted.json:
        found = {"machine": on, "medians": results.medians(), "rounds": results.rounds}
        wanted.json.write_text(
            json.dumps(
                {
                    **found,
                    "jabber": results.jabber,
                    "outbox": results.outbox,
                    "watch": results.watch,
                    "growth": results.curves,
                },
                indent=1,
            )
            + "\n",
            "utf-8",
        )
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
