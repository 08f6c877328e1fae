import ast
import re
import tokenize
from collections.abc import Mapping
from pathlib import Path
from tokenize import COMMENT, generate_tokens

import pytest

from tests.house.conftest import OURS, ROOT, functions, python_files

FILE_LINES = 350
FUNCTION_LINES = 40
MARKS = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no (?:cover|branch))\b(?P<rest>.*)")
REASONED = {
    "noqa": re.compile(r": [A-Z]+[0-9]+(, [A-Z]+[0-9]+)* - \S.{3,}"),
    "type": re.compile(r"\[[a-z-]+(, ?[a-z-]+)*\]  ?(#|-) ?\S.{3,}"),
    "pragma": re.compile(r" - \S.{3,}"),
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def comments(path: Path) -> list[tuple[int, str]]:
    """Every comment with its line's number; what stands in a string is none."""
    with tokenize.open(path) as file:
        return [
            (token.start[0], token.string)
            for token in generate_tokens(file.readline)
            if token.type == COMMENT
        ]


def excuse(comment: str) -> re.Match[str] | None:
    """A comment's mark that switches a rule off, where it has one."""
    return MARKS.search(comment)


def is_reasoned(mark: re.Match[str]) -> bool:
    return bool(REASONED[mark[1].split()[0].rstrip(":")].match(mark["rest"]))


def loses_what_happens_meanwhile(node: ast.stmt) -> bool:
    """Whether a statement reads what others may write, waits, and then writes it."""
    if isinstance(node, ast.AugAssign):
        shared = not isinstance(node.target, ast.Name)
        return shared and any(isinstance(part, ast.Await) for part in ast.walk(node.value))
    if not isinstance(node, ast.Assign) or isinstance(node.targets[0], ast.Name):
        return False
    parts = list(ast.walk(node.value))
    reads = ast.unparse(node.targets[0]) in {
        ast.unparse(part) for part in parts if isinstance(part, ast.expr)
    }
    return reads and any(isinstance(part, ast.Await) for part in parts)


def size(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a function has, its docstring apart."""
    doc = function.body[0] if ast.get_docstring(function) else None
    docs = (doc.end_lineno or 0) - doc.lineno + 1 if doc else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docs


def test_a_file_can_be_read_at_one_sitting() -> None:
    sizes = {name(path): len(path.read_text("utf-8").splitlines()) for path in python_files(*OURS)}
    assert sizes
    assert {path: lines for path, lines in sizes.items() if lines > FILE_LINES} == {}


def test_a_function_can_be_seen_at_one_glance() -> None:
    sizes = {
        f"{name(path)}:{function.lineno} {function.name}": size(function)
        for path in python_files(*OURS)
        for function in functions(path)
    }
    assert sizes
    assert {where: lines for where, lines in sizes.items() if lines > FUNCTION_LINES} == {}


def test_each_exception_from_the_rules_has_its_reason_beside_it() -> None:
    bare = [
        f"{name(path)}:{number}: {comment}"
        for path in python_files(*OURS, "tests")
        for number, comment in comments(path)
        if (mark := excuse(comment)) and not is_reasoned(mark)
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("mark", "reasoned"),
    [
        ("x = 1  # noqa: N818 - a refusal is an answer", True),
        ("x = 1  # noqa: S603, S607 - the path is our own", True),
        ("x = 1  # noqa: N818", False),
        ("x = 1  # noqa", False),
        ("x = 1  # type: ignore[misc]  # the library has no types", True),
        ("x = 1  # type: ignore[misc] - the library has no types", True),
        ("x = 1  # type: ignore[misc]", False),
        ("x = 1  # type: ignore", False),
        ("x = 1  # pragma: no cover - only on another system", True),
        ("x = 1  # pragma: no cover", False),
    ],
)
def test_what_counts_as_a_reason(mark: str, reasoned: bool) -> None:  # noqa: FBT001 - a table's column
    found = excuse(mark)
    assert found
    assert is_reasoned(found) is reasoned


def test_nothing_is_left_for_later() -> None:
    later = [name(path) for path in python_files(*OURS) if "NotImplementedError" in path.read_text("utf-8")]
    assert later == []


def test_nothing_is_read_before_a_wait_and_written_after_it() -> None:
    found = [
        f"{name(path)}:{node.lineno}"
        for path in python_files(*OURS)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.stmt) and loses_what_happens_meanwhile(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "loses"),
    [
        ("self.count += await more()", True),
        ("self.rest = self.rest[1:] + await more()", True),
        ("counts[name] += len(await more())", True),
        ("self.first = self.second + await more()", False),
        ("count += await more()", False),
        ("self.count += more()", False),
    ],
)
def test_what_loses_an_update(line: str, loses: bool) -> None:  # noqa: FBT001 - a table's column
    function = ast.parse(f"async def f():\n    {line}").body[0]
    assert isinstance(function, ast.AsyncFunctionDef)
    assert loses_what_happens_meanwhile(function.body[0]) is loses


def test_no_package_has_lost_its_init() -> None:
    folders = {path.parent for path in python_files(*OURS)}
    assert {name(folder) for folder in folders if not (folder / "__init__.py").exists()} == set()


def test_every_test_file_has_a_name_of_its_own() -> None:
    tests = [path for path in python_files("tests") if path.name.startswith("test_")]
    names = [path.name for path in tests]
    assert {twice for twice in names if names.count(twice) > 1} == set()


def test_every_test_can_fail() -> None:
    idle = []
    for path in python_files("tests"):
        known = {function.name: function for function in functions(path)}
        idle += [
            f"{name(path)}:{test.lineno} {test.name}"
            for test in known.values()
            if test.name.startswith("test_") and not any(map(fails, [test, *helpers(test, known)]))
        ]
    assert idle == []


def fails(function: ast.AST) -> bool:
    """Whether a function asserts, expects an exception, or calls what says that it does."""
    says = re.compile("raises|warns|assert|expect|verify")
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Call) and says.search(ast.unparse(node.func)))
        for node in ast.walk(function)
    )


def helpers(function: ast.AST, known: Mapping[str, ast.AST]) -> list[ast.AST]:
    """Return the functions of the same file that a function calls."""
    called = {
        ast.unparse(node.func).split(".")[-1] for node in ast.walk(function) if isinstance(node, ast.Call)
    }
    return [known[name] for name in called & known.keys()]
