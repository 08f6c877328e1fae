import re
from pathlib import Path

import pytest

from tests.house.conftest import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def page_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ +(.*?)\s*$", page.read_text("utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target, anchor in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        there = (page.parent / target).resolve() if target else page
        if not there.exists() or not there.is_relative_to(ROOT) or (anchor and anchor not in anchors(there)):
            lost.append(target + anchor)
    assert lost == []


@pytest.mark.parametrize(
    "name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs/security.md"]
)
def test_the_pages_that_a_newcomer_looks_for_are_there(name: str) -> None:
    assert (ROOT / name).read_text("utf-8").strip()


def test_every_make_target_that_a_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        (page_name(page), target)
        for page in PAGES
        for target in re.findall(r"`make ([a-z-]+)", page.read_text("utf-8"))
    }
    assert ("CONTRIBUTING.md", "test") in named
    assert {(page, target) for page, target in named if target not in targets} == set()


def test_the_changelog_keeps_a_section_for_what_is_not_released() -> None:
    sections = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert sections[0] == "[Unreleased]"


def test_decisions_are_numbered_without_gaps_and_say_why() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        headings = re.findall(r"^## (.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], page.name


SECURITY = (ROOT / "docs" / "security.md").read_text("utf-8")


def promises() -> list[str]:
    """The numbered paragraphs before the section on what is not yet built."""
    kept = SECURITY.split("## Not yet", maxsplit=1)[0]
    return re.findall(r"^\d+\. .*(?:\n {3}.*)*", kept, re.MULTILINE)


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise[:40])
def test_each_promise_names_its_tests_and_they_are_there(promise: str) -> None:
    tests = re.findall(r"`(tests/[\w/]+\.py)`", promise)
    assert tests, "a promise that no test holds belongs under Not yet"
    assert [path for path in tests if not (ROOT / path).is_file()] == []


def test_a_promise_is_either_kept_or_not_yet() -> None:
    kept, later = SECURITY.split("## Not yet", maxsplit=1)
    assert promises()
    assert "tests/" not in later, "what has tests is built"
    assert len(re.findall(r"^\d+\. ", kept, re.MULTILINE)) == len(promises())
