import json
from pathlib import Path
from typing import Any

import pytest

from tests.house import coverage_gate

PYPROJECT = '[tool.shipboard.coverage]\nwhole = 90\nfull = ["bot/pure/*"]\n'
PASSED = '<testcase name="a"/>'
SKIPPED = '<testcase name="b"><skipped message="no ngircd here"/></testcase>'


def measured(
    percent: float = 100.0, lines: tuple[int, ...] = (), branches: tuple[tuple[int, int], ...] = ()
) -> dict[str, object]:
    summary = {"percent_covered": percent}
    return {"summary": summary, "missing_lines": list(lines), "missing_branches": [list(b) for b in branches]}


class Left:
    """A checkout in which tests have run, and what they left behind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: dict[str, Any] = {
            "bot/pure/rules.py": measured(),
            "bot/world.py": measured(80.0, lines=(3,)),
        }
        self.report: dict[str, Any] = {
            "meta": {"branch_coverage": True},
            "files": self.files,
            "totals": {"percent_covered": 95.0},
        }
        for path in self.files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        (root / "pyproject.toml").write_text(PYPROJECT)

    def judge(self, *cases: str) -> int:
        (self.root / "coverage.json").write_text(json.dumps(self.report))
        (self.root / "junit.xml").write_text(
            f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"
        )
        return coverage_gate.main(["coverage.json", "junit.xml"])


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Left:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    return Left(tmp_path)


def test_the_gate_holds(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    assert left.judge(PASSED) == 0
    assert capsys.readouterr().out == "Coverage 95.00 %: the gate holds.\n"


def test_a_pure_module_must_be_run_whole(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    left.files["bot/pure/rules.py"] = measured(97.5, lines=(7, 8), branches=((9, 11),))
    assert left.judge(PASSED) == 1
    out = capsys.readouterr().out
    assert "below the gate: bot/pure/rules.py: 97.50 % of 100 %, never run: 7, 8, 9->11\n" in out
    assert "the gate fails" in out


def test_of_many_gaps_the_first_are_named(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    left.files["bot/pure/rules.py"] = measured(10.0, lines=tuple(range(1, 101)))
    assert left.judge(PASSED) == 1
    assert "11, 12 and 88 more\n" in capsys.readouterr().out


def test_the_whole_must_reach_its_figure(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    left.report["totals"]["percent_covered"] = 89.99
    assert left.judge(PASSED) == 1
    assert "the whole: 89.99 % of 90 %" in capsys.readouterr().out


def test_a_file_that_nobody_measured_is_named(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    (left.root / "plugins").mkdir()
    (left.root / "plugins" / "new.py").touch()
    assert left.judge(PASSED) == 1
    assert "plugins/new.py: was not measured" in capsys.readouterr().out


def test_a_pattern_that_names_no_file_is_a_fault(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    (left.root / "bot/pure/rules.py").unlink()
    assert left.judge(PASSED) == 1
    assert "bot/pure/*: names no file" in capsys.readouterr().out


def test_where_tests_were_skipped_the_gate_is_not_held_and_says_why(
    left: Left, capsys: pytest.CaptureFixture[str]
) -> None:
    left.report["totals"]["percent_covered"] = 10.0
    assert left.judge(PASSED, SKIPPED, SKIPPED) == 0
    out = capsys.readouterr().out
    assert "skipped 2 x no ngircd here\n" in out
    assert "not held: 2 of 3 tests were skipped" in out


def test_continuous_integration_holds_it_all_the_same(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    left.report["totals"]["percent_covered"] = 10.0
    assert left.judge(PASSED, SKIPPED) == 1


@pytest.mark.parametrize("outcome", ["failure", "error"])
def test_tests_that_went_wrong_cannot_hold_it(left: Left, outcome: str) -> None:
    assert left.judge(PASSED, f'<testcase name="c"><{outcome} message="no"/></testcase>') == 1


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("coverage.json", None, "no report of coverage"),
        ("coverage.json", "{", "no report of coverage"),
        ("coverage.json", "[]", "no report of coverage"),
        ("junit.xml", None, "no result of pytest"),
        ("junit.xml", "<testsuites>", "no result of pytest"),
        ("junit.xml", "<testsuites/>", "no test ran"),
        ("pyproject.toml", "", "no figures"),
    ],
)
def test_what_cannot_be_read_is_said_loudly(
    left: Left, capsys: pytest.CaptureFixture[str], path: str, text: str | None, said: str
) -> None:
    left.judge(PASSED)
    (left.root / path).unlink()
    if text is not None:
        (left.root / path).write_text(text)
    assert coverage_gate.main(["coverage.json", "junit.xml"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("key", "value"), [("meta", {"branch_coverage": False}), ("files", {})])
def test_a_report_of_nothing_is_unreadable(left: Left, key: str, value: object) -> None:
    left.report[key] = value
    assert left.judge(PASSED) == 2


def test_wrong_use_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage_gate.main(["one"]) == 2
    assert "usage:" in capsys.readouterr().err
