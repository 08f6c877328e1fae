"""shipboard tally: the votes of others through the command line, and files that are broken in each way."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cli import main, sheets

VOTES = Path(__file__).parents[1] / "coop" / "votes"
DEBIAN = sorted((VOTES / "debian").glob("*.json"))
CASES = json.loads((VOTES / "crosschecked.json").read_text("utf-8"))
SHEET: dict[str, Any] = {"options": ["Yes", "No"], "default_option": 2, "ballots": {"12": 3, "21": 1}}
IRV: dict[str, Any] = {"method": "irv", "options": ["A", "B", "C"], "ballots": {"A>B": 2}}
POLICY: dict[str, Any] = {
    "method": "yesno",
    "type": "policy",
    "eligible": 12,
    "yes": 3,
    "no": 1,
    "abstain": 0,
}
SHARES = {"eligible_units": 18, "yes_units": 6, "no_units": 2}


class Tally:
    """Counts a file's content through the command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._file, self._capsys = folder / "vote.json", capsys

    def run(self, content: object) -> tuple[int, str, str]:
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        self._file.write_bytes(text)
        status = main(["tally", str(self._file)])
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def of(self, content: object) -> Any:  # noqa: ANN401 - the JSON that it prints
        status, out, err = self.run(content)
        assert (status, err, out.count("\n")) == (0, "", 1)
        return json.loads(out)

    def wrong(self, content: object) -> str:
        status, out, err = self.run(content)
        assert (status, out, err.count("\n")) == (2, "", 1)
        where = f"shipboard: {self._file}: "
        assert err.startswith(where)
        return err.removeprefix(where).rstrip("\n")


@pytest.fixture
def tally(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tally:
    monkeypatch.chdir(tmp_path)  # where there is no config
    return Tally(tmp_path, capsys)


def changed(base: dict[str, Any], **fields: object) -> dict[str, Any]:
    return {key: value for key, value in {**base, **fields}.items() if value is not None}


@pytest.mark.parametrize("path", DEBIAN, ids=lambda path: path.stem)
def test_debians_votes(tally: Tally, path: Path) -> None:
    vote = json.loads(path.read_text("utf-8"))
    count = tally.of(path.read_bytes())
    if vote["published"] is None:
        assert len(count["winners"]) == 1
        return
    for key in ("matrix", "dropped", "winners"):
        assert count[key] == vote["published"][key]
    assert count["steps"][-1]["schwartz"] == vote["published"]["schwartz"]


@pytest.mark.parametrize("case", CASES["schulze"])
def test_schulze(tally: Tally, case: dict[str, Any]) -> None:
    ballots = Counter(case["ballots"])
    count = tally.of({"method": "schulze", "options": case["candidates"], "ballots": ballots})
    assert (count["matrix"], count["winners"], count["dropped"]) == (case["matrix"], case["winners"], {})


@pytest.mark.parametrize("case", CASES["irv"])
def test_irv(tally: Tally, case: dict[str, Any]) -> None:
    ballots = Counter(case["ballots"])
    count = tally.of({"method": "irv", "options": case["candidates"], "ballots": ballots, "seats": 1})
    assert count["winners"] == case["possible_winners"]
    assert count["elected"] in [None, *case["possible_winners"]]


@pytest.mark.parametrize("case", CASES["approval"])
def test_approval(tally: Tally, case: dict[str, Any]) -> None:
    ballots = Counter(",".join(ballot) for ballot in case["ballots"])
    form = {"method": "approval", "options": case["candidates"], "ballots": ballots, "seats": case["seats"]}
    count = tally.of(form)
    assert set(count["winners"]) == {name for chosen in case["winning_sets"] for name in chosen}
    assert len(count["elected"]) + count["open_seats"] == case["seats"]


@pytest.mark.parametrize("case", json.loads((VOTES / "textbook.json").read_text("utf-8")))
def test_textbook(tally: Tally, case: dict[str, Any]) -> None:
    ballots = {">".join(ballot): votes for votes, ballot in case["ballots"]}
    for method in ("schulze", "irv", "plurality"):
        count = tally.of({"method": method, "options": case["candidates"], "ballots": ballots})
        assert count["winners"] == [*case["computed"][method]]
        assert count["matrix"] == case["computed"]["matrix"]


@pytest.mark.parametrize("case", json.loads((VOTES / "edges.json").read_text("utf-8"))["cases"])
def test_the_shipped_policies_decide(tally: Tally, case: dict[str, Any]) -> None:
    assert tally.of({"method": "yesno", **case})["result"] == case["expect"]


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"type": "purchase"}, "no-quorum"),
        ({"type": "purchase", "yes": 5}, "passed"),
        ({"type": "purchase", **SHARES}, "no-quorum"),
        ({"type": "purchase", **SHARES, "abstain": 1}, "passed"),
        ({"type": "purchase", **SHARES, "yes_units": 5, "abstain": 2}, "passed"),
        ({"type": "purchase", **SHARES, "yes_units": 5, "abstain": 1}, "no-quorum"),
        ({"type": "purchase", **SHARES, "yes_units": 5, "abstain": 1, "abstain_units": 2}, "passed"),
        ({"type": "end-of-project", "yes": 9}, "passed"),
        ({"type": "end-of-project", "yes": 8, "no": 4}, "failed"),
        ({"eligible": 0, "yes": 0, "no": 0}, "no-quorum"),
        ({"abstain": None}, "passed"),
    ],
)
def test_yes_or_no(tally: Tally, fields: dict[str, Any], result: str) -> None:
    assert tally.of(changed(POLICY, **fields))["result"] == result


def test_every_number_of_the_reasoning_is_there(tally: Tally) -> None:
    assert tally.of(POLICY) == {
        "method": "yesno",
        "type": "policy",
        "result": "passed",
        "tests": [
            {"rule": "quorum", "holds": True, "test": "4*3=12 >= 1*12=12 yes"},
            {"rule": "quorum", "holds": True, "test": "4 >= 3 yes"},
            {"rule": "threshold", "holds": True, "test": "3*2=6 > 1*4=4 yes"},
            {"rule": "yes", "holds": True, "test": "3 >= 1 yes"},
        ],
    }
    runoff = tally.of(changed(IRV, ballots={"A": 3, "B": 2, "C > A": 2}))
    assert runoff["winners"] == ["A"]
    assert runoff["rounds"][0] == {
        "round": 1,
        "tally": {"A": 3, "B": 2, "C": 2},
        "exhausted": 0,
        "eliminated": "C",
        "tied": ["B", "C"],
        "by": "order",
        "test": "3*2=6 > 1*7=7 no",
    }
    assert runoff["elected"] == "A"
    tied = tally.of(changed(IRV, ballots={"A": 1, "B": 1}))
    assert (tied["winners"], tied["elected"]) == (["A", "B"], None)


@pytest.mark.parametrize(
    ("published", "winners"),
    [
        (None, [1]),
        ({}, [1]),
        ({"quorum": None, "majority_ratio": None}, [1]),
        ({"quorum": 3}, [1]),
        ({"quorum": 3.0001}, [2]),
        ({"majority_ratio": {"1": 3}}, [1]),
        ({"majority_ratio": {"1": 3.5}}, [2]),
        ({"majority_ratio": {"1": None, "2": 9}}, [1]),
    ],
)
def test_what_a_sheet_leaves_out_is_not_asked_for(
    tally: Tally, published: object, winners: list[int]
) -> None:
    assert tally.of({**SHEET, "published": published})["winners"] == winners
    assert tally.of(SHEET)["winners"] == [1]


def test_equal_ballots_written_differently_are_added_up(tally: Tally) -> None:
    count = tally.of(changed(IRV, ballots={"A>B": 1, "A > B": 2, "a>b": 4, "A>B>C": 8, "A>C=B": 16}))
    assert count["rounds"][0]["tally"] == {"A": 31, "B": 0, "C": 0}
    assert tally.of(b"\xef\xbb\xbf" + json.dumps(IRV).encode())["winners"] == ["A"]
    assert tally.of(changed(IRV, ballots={}))["winners"] == ["A", "B", "C"]


def plain(**fields: object) -> dict[str, Any]:
    return changed(IRV, **fields)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"{", "not JSON: Expecting property name"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[1]", "holds a list, not an object"),
        (b"NaN", "holds “NaN”, not an object"),
        (b"null", "holds missing, not an object"),
        (b"true", "holds true, not an object"),
        (b'{"a": 1, "a": 2}', "“a” stands there twice"),
        (
            b'{"method": "irv", "options": ["A"], "ballots": {"A": 1, "A": 2}}',
            "ballots: “A” stands there twice",
        ),
        (
            b'{"method": "irv", "options": ["A"], "ballots": {"A": NaN}}',
            "ballot “A”: its count is “NaN”, not",
        ),
        (
            b'{"method": "irv", "options": ["A"], "ballots": {"A": 1e999999999}}',
            "ballot “A”: its count is “1e99",
        ),
        (b'{"method": "irv", "options": ["A"], "ballots": {"A": 1e9999999999999999999}}', "ballot “A”: its"),
        (b'{"method": "irv", "options": ["A"], "ballots": {"A": 1%s}}' % (b"0" * 5000), "ballot “A”: its"),
        (b'{"method": "irv", "options": ["A"], "ballots": {"A": 0.%s}}' % (b"1" * 5000), "ballot “A”: its"),
        ({}, "it has neither a method nor a default_option"),
        (plain(method="stv"), "the method “stv” is none of approval, irv, plurality, schulze, yesno"),
        (plain(method=1), "method is “1”, not a text"),
        (plain(method=["irv"]), "method is a list, not a text"),
        (plain(options=None), "options is missing, not a list of texts"),
        (plain(options={"A": 1}), "options is an object, not a list of texts"),
        (plain(options=["A", 2]), "options: the one at 2 is “2”, not a text"),
        (plain(options=["A", "B", "A"]), "option “A” stands there twice"),
        (plain(options=[]), "there are no options"),
        (plain(options=["A", ""]), "option 2 has no name"),
        (plain(options=["A", "B>C"]), "option “B>C” has a “>”, which parts options"),
        (plain(options=[str(n) for n in range(101)]), "101 options are too many: at most 100"),
        (plain(method="approval", options=["A", "B,C"]), "option “B,C” has a “,”, which parts options"),
        (plain(ballots=None), "it has no ballots"),
        (plain(ballots=["A>B"]), "ballots is a list, not an object"),
        (plain(ballots={"A>A": 1}), "ballot “A>A”: “A” stands there twice"),
        (plain(ballots={"A>x": 1}), "ballot “A>x”: “x” is no option (A, B, C)"),
        (plain(ballots={"A=B>C": 1}), "ballot “A=B>C”: “A=B” rank equally, which this method cannot count"),
        (plain(ballots={"": 1}), "ballot “”: the ballot is empty"),
        (plain(ballots={"1-2": 1}), "ballot “1-2”: “1-2” is no option (A, B, C)"),
        (plain(ballots={"\u0410": 1}), "only looks like “A”: it has U+0410"),
        (plain(ballots={"A": -1}), f"ballot “A”: its count is -1; it can be 0 to {2**63 - 1}"),
        (plain(ballots={"A": 2**63}), f"ballot “A”: its count is {2**63}; it can be"),
        (plain(ballots={"A": True}), "ballot “A”: its count is true, not a whole number"),
        (plain(ballots={"A": False}), "ballot “A”: its count is false, not a whole number"),
        (plain(ballots={"A": 1.0}), "ballot “A”: its count is “1.0”, not a whole number"),
        (plain(ballots={"A": "1"}), "ballot “A”: its count is “1”, not a whole number"),
        (plain(ballots={"A": None}) | {"ballots": {"A": None}}, "ballot “A”: its count is missing, not"),
        (plain(ballots={"A": {}}), "ballot “A”: its count is an object, not a whole number"),
        (plain(ballots={"A" * 10**6: 1}), f"ballot “{'A' * 40}…”: “{'A' * 40}…” is no option"),
        (plain(ballots={"A\n\ud800": 1}), "ballot “A"),
        (plain(seats=2), "seats is 2; it can be 1 to 1"),
        (plain(seats="1"), "seats is “1”, not a whole number"),
        (plain(method="approval", seats=4, ballots={"A": 1}), "seats is 4; it can be 1 to 3"),
        (plain(method="approval", seats=0, ballots={"A": 1}), "seats is 0; it can be 1 to 3"),
        (plain(method="approval", seats=True, ballots={"A": 1}), "seats is true, not a whole number"),
        (plain(method="approval"), "ballot “A>B”: “A>B” is no option (A, B, C)"),
        (plain(method="plurality", ballots={"A=B": 1}), "ballot “A=B”: “A=B” share the first place"),
        (changed(SHEET, ballots={"123": 1}), "ballot “123”: “123” has 3 ranks for 2 options"),
        (changed(SHEET, ballots={"1x": 1, "1!": 1}), "ballot “1!”: “!” in “1!” is no rank (1-9, A-Z or -)"),
        (changed(SHEET, default_option=0), "default_option is 0; it can be 1 to 2"),
        (changed(SHEET, default_option=3), "default_option is 3; it can be 1 to 2"),
        (changed(SHEET, default_option="No"), "default_option is “No”, not a whole number"),
        (changed(SHEET, options=["Yes", "Yes"]), "option “Yes” stands there twice"),
        (changed(SHEET, published=[]), "published is a list, not an object"),
        (changed(SHEET, published={"quorum": -1}), "quorum is -1; it can be"),
        (changed(SHEET, published={"quorum": -0.5}), "quorum is “-0.5”, not a whole number"),
        (changed(SHEET, published={"quorum": True}), "quorum is true, not a whole number"),
        (changed(SHEET, published={"quorum": "3"}), "quorum is “3”, not a whole number"),
        (
            changed(SHEET, published={"majority_ratio": {"3": 1}}),
            "majority_ratio: “3” is no option's number",
        ),
        (changed(SHEET, published={"majority_ratio": {"": 1}}), "majority_ratio: “” is no option's number"),
        (changed(SHEET, published={"majority_ratio": {"1": 0}}), "majority_ratio of 1 is not above 0"),
        (changed(POLICY, type="lazy"), "the type “lazy” is none of admit, "),
        (changed(POLICY, type=None), "type is missing, not a text"),
        (changed(POLICY, yes=None), "yes is missing, not a whole number"),
        (changed(POLICY, yes=-1), "yes is -1; it can be 0 to"),
        (changed(POLICY, yes=12), "more votes than eligible"),
        (changed(POLICY, yes=2.5), "yes is “2.5”, not a whole number"),
        (changed(POLICY, type="purchase", yes_units=3), "eligible_units is missing, not a whole number"),
        (changed(POLICY, type="purchase", **{**SHARES, "no_units": 13}), "more votes than eligible_units"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tally: Tally, content: object, fault: str) -> None:
    assert fault in tally.wrong(content)


def test_ties_that_cannot_be_followed_are_refused(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.tally.WORK", 100)
    names = [f"o{n}" for n in range(31)]
    ballots = {"o0": 3, **{f"{name}>o0": 2 for name in names[1:]}}
    form = {"method": "irv", "options": names, "ballots": ballots}
    assert tally.wrong(form) == "its ties go too many ways to follow them all"


def test_a_file_that_never_ends_is_not_read_to_its_end(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_BYTES", 10)
    assert tally.wrong(IRV) == "is larger than 10 bytes"


def test_a_folder_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tally", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"shipboard: {tmp_path}: Is a directory\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["method", "options", "ballots", "seats", "default_option", "published", "type", "yes", "eligible"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([SHEET, IRV, POLICY]), st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1))
def test_any_fields_are_counted_or_refused(
    tally: Tally, base: dict[str, Any], fields: dict[str, Any]
) -> None:
    status, out, err = tally.run({**base, **fields})
    assert (status, bool(out), err.count("\n")) in [(0, True, 0), (2, False, 1)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_counted_or_refused(tally: Tally, content: bytes) -> None:
    status, out, err = tally.run(content)
    assert (status, out, err.count("\n")) == (2, "", 1)
