import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("bot", "plugins")
TEXTS = {".py", ".md", ".toml", ".lock", ".service", ".txt", ".json", ""}


def python_files(*tops: str) -> list[Path]:
    return sorted(path for top in tops for path in (ROOT / top).rglob("*.py"))


def written_files() -> Iterator[Path]:
    """Every text file that belongs to the project, whether git is there or not."""
    for top in sorted(ROOT.iterdir()):
        if top.is_file():
            if top.name == ".gitignore" or not top.name.startswith("."):
                yield top
        elif not top.name.startswith(".") or top.name == ".ci":
            yield from (path for path in sorted(top.rglob("*")) if path.is_file() and _is_ours(path))


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    if "__pycache__" in parts or parts[0] in {"build", "dist"}:
        return False
    if parts[0] == "data" and parts[1] not in {"README.md", "seed"}:
        return False  # what a bot in this checkout wrote
    return path.suffix in TEXTS


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.fixture(scope="session")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
