"""The coverage gate: what `make test` runs on what the tests left behind.

The figures stand in pyproject.toml, `[tool.shipboard.coverage]`: `whole` for everything, `full` for the files
of which every line and branch is run. The gate holds where nothing was skipped, and always with CI=true: what
could not run could not cover either.
"""

import json
import os
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

USAGE = "usage: python -m tests.house.coverage_gate COVERAGE.json JUNIT.xml"

SHOWN = 12
"""How many of a file's lines and branches that were never run are named."""


class UnreadableError(Exception):
    """What the gate was given is not what it can judge."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The figures that are held: `whole` in percent, `full` as patterns of paths in which `*` goes deep."""

    whole: float
    full: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What the tests did: how many there were, how many went wrong, and why some were skipped."""

    tests: int
    wrong: int
    skipped: Mapping[str, int]


def read_gate(pyproject: Path) -> Gate:
    """Return the figures; UnreadableError if they are not there."""
    try:
        table = tomllib.loads(pyproject.read_text("utf-8"))["tool"]["shipboard"]["coverage"]
        return Gate(float(table["whole"]), tuple(table["full"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableError(f"{pyproject}: no figures in [tool.shipboard.coverage] ({error})") from error


def read_report(path: Path) -> Mapping[str, Any]:
    """Return coverage's report; UnreadableError if it is none, or measured no branches."""
    try:
        report: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        branches, measured = report["meta"]["branch_coverage"], report["files"]
        float(report["totals"]["percent_covered"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableError(f"{path}: no report of coverage ({error})") from error
    if not branches or not measured:
        raise UnreadableError(f"{path}: measured no {'files' if branches else 'branches'}")
    return report


def read_run(path: Path) -> Run:
    """Return what pytest did; UnreadableError if its result is none, or no test ran."""
    try:
        cases = list(ET.parse(path).iter("testcase"))
    except (OSError, ET.ParseError) as error:
        raise UnreadableError(f"{path}: no result of pytest ({error})") from error
    if not cases:
        raise UnreadableError(f"{path}: no test ran")
    wrong = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    skips = Counter(skip.get("message", "") for case in cases for skip in case.findall("skipped"))
    return Run(len(cases), wrong, skips)


def shortfalls(gate: Gate, report: Mapping[str, Any], sources: Iterable[str]) -> list[str]:
    """Name all that is below the gate; `sources` are the paths of what there is."""
    files, found = report["files"], sorted(sources)
    lines = [f"{path}: was not measured" for path in found if path not in files]
    percent = report["totals"]["percent_covered"]
    if percent < gate.whole:
        lines.append(f"the whole: {percent:.2f} % of {gate.whole:g} %")
    for pattern in gate.full:
        matching = [path for path in found if fnmatchcase(path, pattern)]
        if not matching:
            lines.append(f"{pattern}: names no file, mend it in pyproject.toml")
        lines.extend(_open_ends(path, files[path]) for path in matching if _is_open(files.get(path)))
    return lines


def _is_open(file: Mapping[str, Any] | None) -> bool:
    return file is not None and bool(file["missing_lines"] or file["missing_branches"])


def _open_ends(path: str, file: Mapping[str, Any]) -> str:
    gaps = [*map(str, file["missing_lines"]), *(f"{start}->{end}" for start, end in file["missing_branches"])]
    shown = ", ".join(gaps[:SHOWN]) + (f" and {len(gaps) - SHOWN} more" if len(gaps) > SHOWN else "")
    return f"{path}: {file['summary']['percent_covered']:.2f} % of 100 %, never run: {shown}"


def judge(root: Path, coverage: Path, junit: Path, *, strict: bool) -> int:
    """Print what was skipped and what is below the gate; return 1 if that is a failure, else 0."""
    gate, report, run = read_gate(root / "pyproject.toml"), read_report(coverage), read_run(junit)
    sources = [
        path.relative_to(root).as_posix() for top in ("bot", "plugins") for path in (root / top).rglob("*.py")
    ]
    short = shortfalls(gate, report, sources)
    for reason, count in sorted(run.skipped.items()):
        print(f"skipped {count} x {reason}")
    for line in short:
        print(f"below the gate: {line}")
    if run.wrong:
        print(f"{run.wrong} of {run.tests} tests went wrong")
        return 1
    if run.skipped and not strict:
        print(
            f"The coverage gate is not held: {sum(run.skipped.values())} of {run.tests} tests were skipped."
        )
        return 0
    print(f"Coverage {report['totals']['percent_covered']:.2f} %: the gate {'fails' if short else 'holds'}.")
    return 1 if short else 0


def main(words: list[str]) -> int:
    """Judge the two files that are named; 2 if that cannot be done."""
    try:
        coverage, junit = map(Path, words)
    except ValueError:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        return judge(Path.cwd(), coverage, junit, strict=os.environ.get("CI") == "true")
    except UnreadableError as error:
        print(f"The coverage gate cannot judge: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
