"""The checker in docs/ agrees with the bot on every kind of motion, and with nobody who changes a byte."""

import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.words import Usage, VoteRules
from plugins.votes import deeds, rules
from plugins.votes.certificate import as_json, certify
from plugins.votes.motion import Stage
from plugins.votes.written import exported, links
from tests.house.conftest import ROOT
from tests.plugins.votes.conftest import BOOK, NAMES, START, House, members

CHECKER = ROOT / "docs" / "check_certificate.py"
main: Callable[[Sequence[str]], int] = runpy.run_path(str(CHECKER))["main"]


def files(house: House, folder: Path) -> list[str]:
    certificate, events = folder / "certificate.json", folder / "events.jsonl"
    certificate.write_text(as_json(certify(house.records)), "utf-8")
    events.write_text("".join(exported(links(house.records))), "utf-8")
    return [str(certificate), str(events)]


def decided(
    kind: str, votes: Sequence[str], rule: dict[str, object] | None = None, **fields: object
) -> House:
    house = House(dict(members()))
    house.rules["pick"] = VoteRules(ballot="schulze")
    if rule:
        house.rule(kind, **rule)
    house.opened(kind, **fields)  # type: ignore[arg-type]  # a test's own fields
    for name, word in zip(NAMES, votes, strict=False):
        house.vote(name, word, reason="it is a trap" if word == "veto" else "")
    house.tick()
    if house.motion.stage is Stage.OPEN:
        house.close()
    return house


def amended() -> House:
    house = House(dict(members()))
    house.propose("policy-change")
    house.second()
    house.write("alice", rules.amend(house.motion, house.person("alice"), "Buy 16 GiB.", house.scene))
    house.tick(BOOK.standing.min_tenure_days * (house.now - START) + (house.now - START))
    until = house.motion.discussed_until
    assert until
    house.tick(until - house.now)
    house.votes(alice="amendment-1", arthur="amendment-1>motion", ford="motion>no change", marvin="abstain")
    house.close()
    return house


VETO: dict[str, object] = {"veto": True}
OVERRIDE: dict[str, object] = {"veto_override_num": 3, "veto_override_den": 4}
ELECT: dict[str, Any] = {"options": ("Anna", "Bo", "Cy")}
CASES: dict[str, Callable[[], House]] = {
    "passed": lambda: decided("policy", ["yes", "yes", "no"]),
    "tied": lambda: decided("policy", ["yes", "no", "abstain"]),
    "failed": lambda: decided("policy-change", ["yes", "no", "abstain"]),
    "no quorum": lambda: decided("policy", ["yes"]),
    "all abstain": lambda: decided("policy", ["abstain"] * 3),
    "black ball": lambda: decided("policy", ["yes", "yes", "no"], {"max_no": 0}),
    "present": lambda: decided("policy", ["yes", "no", "abstain"], {"yes_of": "present"}),
    "by share": lambda: decided("purchase", ["yes", "abstain", "abstain", "no"]),
    "expel": lambda: decided("expel", ["yes", "yes", "yes", "no", "yes"], subject="zaphod"),
    "admit": lambda: decided("admit", ["yes", "yes", "no", "yes"], subject="newbie"),
    "lazy": lambda: decided("lazy", []),
    "vetoed": lambda: decided("policy", ["yes", "yes", "yes", "yes", "veto"], VETO),
    "vetoed twice": lambda: decided("policy", ["veto", "yes", "veto"], VETO | OVERRIDE),
    "veto overridden": lambda: decided("policy", ["yes", "yes", "yes", "veto"], VETO | OVERRIDE),
    "veto not overridden": lambda: decided("policy", ["yes", "yes", "veto"], VETO | OVERRIDE),
    "veto overridden, but not the black ball": lambda: decided(
        "policy", ["yes", "yes", "yes", "veto"], VETO | OVERRIDE | {"max_no": 0}
    ),
    "veto in a tie": lambda: decided(
        "policy", ["yes", "veto", "abstain"], VETO | {"veto_override_num": 1, "veto_override_den": 2}
    ),
    "veto without a quorum": lambda: decided("policy", ["yes", "veto"], VETO),
    "veto by share": lambda: decided("purchase", ["yes", "yes", "yes", "veto"], VETO | OVERRIDE),
    "no veto": lambda: decided("policy", ["yes", "yes", "no"], VETO),
    "an option called veto": lambda: decided(
        "elect",
        ["veto", "veto", "Anna"],
        {"ballot": "plurality", "secrecy": "open"},
        options=("veto", "Anna"),
    ),
    "amended": amended,
    "elected": lambda: decided("elect", ["Anna>Bo", "Anna", "Bo>Anna>none", "Cy"], **ELECT),
    "nobody": lambda: decided("elect", ["none", "none>Anna", "Bo"], **ELECT),
    "by lot": lambda: decided("elect", ["Anna>Bo", "Bo>Anna", "Anna=Bo"], **ELECT),
    "cycle": lambda: decided(
        "pick", ["Anna>Bo>Cy", "Bo>Cy>Anna", "Cy>Anna>Bo", "Anna>Bo>Cy"], {"secrecy": "secret"}, **ELECT
    ),
    "no lot": lambda: decided("pick", ["Anna", "Bo", "Cy"], **ELECT),
    "of all": lambda: decided("elect", ["Anna"] * 4, {"yes_of": "all", "yes_num": 2, "yes_den": 3}, **ELECT),
    "of those present": lambda: decided(
        "elect", ["Anna"] * 2 + ["abstain"] * 2, {"yes_of": "present", "yes_num": 2, "yes_den": 3}, **ELECT
    ),
    "half of those present": lambda: decided(
        "elect", ["Anna"] * 2 + ["abstain"] * 2, {"yes_of": "present"}, **ELECT
    ),
    "half of all": lambda: decided("elect", ["Anna"] * 3 + ["abstain"], {"yes_of": "all"}, **ELECT),
    "more than two thirds": lambda: decided(
        "elect", ["Anna", "Anna", "none"], {"yes_num": 2, "yes_den": 3}, **ELECT
    ),
    "plurality": lambda: decided("elect", ["Anna", "Bo", "abstain"], {"ballot": "plurality"}, **ELECT),
    "approval": lambda: decided(
        "elect", ["Anna,Bo", "Bo,Cy", "Bo"], {"ballot": "approval", "seats": 2}, **ELECT
    ),
    "no seat": lambda: decided(
        "elect", ["Anna,Bo", "Bo,Cy", "Bo"], {"ballot": "approval", "seats": 2, "tie": "fails"}, **ELECT
    ),
    "irv": lambda: decided(
        "elect", ["Anna", "Anna>Bo", "Bo>Cy", "Cy>Bo", "Bo", "Cy>Bo"], {"ballot": "irv"}, **ELECT
    ),
    "irv tied": lambda: decided(
        "elect", ["Anna", "Bo", "abstain"], {"ballot": "irv", "tie": "fails"}, **ELECT
    ),
    "irv short": lambda: decided(
        "elect", ["Anna", "Anna", "Bo", "Cy"], {"ballot": "irv", "tie": "fails"}, **ELECT
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_checker_agrees_with_the_bot(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(files(CASES[case](), tmp_path))
    assert (status, [line for line in capsys.readouterr().out.splitlines() if line.startswith("NO")]) == (
        0,
        [],
    )


TRIED = ("by lot", "irv", "amended", "admit", "vetoed", "veto overridden")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folders = {case: tmp_path_factory.mktemp("case") for case in TRIED}
    return {case: files(CASES[case](), folder) for case, folder in folders.items()}


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_found(
    written: dict[str, list[str]], data: st.DataObject, capsys: pytest.CaptureFixture[str]
) -> None:
    given_ = written[data.draw(st.sampled_from(sorted(written)))]
    target = Path(data.draw(st.sampled_from(given_)))
    was = target.read_bytes()
    place, byte = data.draw(st.integers(0, len(was) - 1)), data.draw(st.integers(0, 255))
    try:
        target.write_bytes(was[:place] + bytes([byte]) + was[place + 1 :])
        assert (main(given_) == 0) == (byte == was[place])
    finally:
        target.write_bytes(was)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("case", "change", "found"),
    [
        ("admit", {"result": "failed"}, "result"),
        ("admit", {"turnout": {"members": 5, "units": 5}}, "turnout"),
        ("admit", {"counts": {"yes": 4, "no": 0, "abstain": 0}}, "counts"),
        ("admit", {"ballots": {"0" * 16: "yes"}}, "ballots"),
        ("admit", {"tests": []}, "tests"),
        ("admit", {"closes": "2026-12-24T18:00:00Z"}, "closes"),
        ("admit", {"text": "Another text."}, "text_sha256"),
        ("vetoed", {"result": "passed"}, "result"),
        ("vetoed", {"vetoes": {}}, "vetoes"),
        ("vetoed", {"vetoes": {"trillian": "I am bored"}}, "vetoes"),
        ("veto overridden", {"result": "vetoed"}, "result"),
    ],
)
def test_a_lie_with_a_right_hash_is_named(
    case: str,
    change: dict[str, object],
    found: str,
    written: dict[str, list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    certificate, events = written[case]
    lie = {**json.loads(Path(certificate).read_text("utf-8")), **change}
    del lie["sha256"]
    lie["sha256"] = sha256(json.dumps(lie, separators=(",", ":"), sort_keys=True).encode()).hexdigest()
    (tmp_path / "lie.json").write_text(as_json(lie), "utf-8")
    assert main([str(tmp_path / "lie.json"), events]) == 1
    assert f"NO  {found}" in capsys.readouterr().out.splitlines()


def test_ballots_of_strangers_and_late_ones_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A chain that was made so is whole, and its certificate says what it says."""
    house = House(dict(members()))
    motion = house.opened()
    house.votes(alice="yes", arthur="yes", ford="yes")
    house.now = motion.open_until
    house.write("zaphod", (deeds.Voted("no"),))
    house.close()
    assert main(files(house, tmp_path)) == 1
    late = next(one.seq for one in house.records if one.by == "zaphod")
    assert f"NO  ballots: of electors, in time, all counted [{late}]" in capsys.readouterr().out.splitlines()


def test_who_has_a_token_finds_their_secret_ballot(
    written: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*written["admit"], "alice", "token of alice for yes"]) == 0
    assert "yes ballot of alice: ['yes']" in capsys.readouterr().out.splitlines()
    assert main([*written["admit"], "alice", "token of arthur for yes"]) == 1


def test_it_needs_nothing_of_the_bot(written: dict[str, list[str]], tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(CHECKER)]
    done = subprocess.run(
        [*command, *written["by lot"]], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr, "NO" in done.stdout) == (0, "", False)
    done = subprocess.run(
        [*command, str(tmp_path / "none"), "x"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout.startswith("cannot be read:")
    source = CHECKER.read_text("utf-8")
    assert len(source.splitlines()) < 150
    assert "import bot" not in source
    assert "plugins" not in source


def test_a_ballot_that_ranks_nothing_does_not_stop_the_count(house: House) -> None:
    house.rule("elect", ballot="irv")
    house.opened("elect", options=("Anna", "Bo"))
    with pytest.raises(Usage, match="ranks all options equally"):
        house.vote("alice", "Anna=Bo=None of the above")
    house.votes(alice="Bo", arthur="Bo", ford="abstain")
    assert house.close().ended.end == "passed"
