"""Refusals quote people's words as “word”; straight quotes stand only in what is to be typed so."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import errors
from tests.house.conftest import OURS, ROOT, python_files

REFUSALS = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.Refusal)
}
TO_BE_TYPED = ('cron "0 18 * * 5"', 'sandbox = "none"')
"""What a refusal shows as it is typed into a line or a config."""


def straight(source: str) -> Iterator[int]:
    """Yield the lines on which a refusal has a straight quote or a value's repr."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in REFUSALS:
            for part in ast.walk(call):
                if isinstance(part, ast.FormattedValue) and part.conversion == ord("r"):
                    yield part.lineno
                if isinstance(part, ast.JoinedStr | ast.Constant) and '"' in said(part):
                    yield part.lineno


def said(part: ast.JoinedStr | ast.Constant) -> str:
    """Return what a text says by itself, without what is to be typed."""
    constants = part.values if isinstance(part, ast.JoinedStr) else [part]
    text = "".join(str(one.value) for one in constants if isinstance(one, ast.Constant))
    for typed in TO_BE_TYPED:
        text = text.replace(typed, "")
    return text


@pytest.mark.parametrize("path", [pytest.param(p, id=p.name) for p in python_files(*OURS)])
def test_refusals_have_no_straight_quotes(path: Path) -> None:
    found = list(straight(path.read_text("utf-8")))
    assert [f"{path.relative_to(ROOT)}:{line}" for line in found] == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("raise Usage(f'\"{word}\" is no day')", [1]),
        ('raise NotFound(f"there is no {word!r}")', [1]),
        ('raise Usage(f"“{word}” is no day")', []),
        ("raise Usage('five fields: cron \"0 18 * * 5\"')", []),
        ('raise ConfigError(f"no {word!r}")', []),
    ],
)
def test_straight_quotes_are_seen(source: str, lines: list[int]) -> None:
    assert sorted(set(straight(source))) == lines
