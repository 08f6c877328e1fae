from pathlib import Path

import pytest

from bot.config.policies import read, read_folder
from bot.errors import ConfigError
from bot.paths import share

SHIPPED = {path.stem: path.read_text() for path in share("policies").glob("*.md") if path.stem != "README"}
HEAD = '+++\ntitle = "T"\nversion = 1\n'


def test_the_shipped_policies_are_whole() -> None:
    names = set(read(SHIPPED).policies)
    wanted = (
        "ownership shares end-of-project bandwidth spam portscanning warez adult-content excess-use joining"
    )
    assert names == {*wanted.split(), "leaving", "selling", "reduced-rate", "voting", "asked-to-leave"}


def test_every_type_of_motion_has_rules() -> None:
    kinds = "lazy policy policy-change purchase admit member-terms expel end-of-project elect emergency"
    assert set(read(SHIPPED).rules) == set(kinds.split())


def test_what_a_type_leaves_out_is_the_defaults() -> None:
    rules = read(SHIPPED).rules
    assert (rules["policy"].discussion_hours, rules["policy-change"].discussion_hours) == (72, 168)
    assert rules["expel"].appeal_days == rules["policy"].appeal_days == 7
    changed = SHIPPED | {"voting": SHIPPED["voting"].replace("appeal_days = 7", "appeal_days = 9")}
    assert read(changed).rules["expel"].appeal_days == 9


@pytest.mark.parametrize(
    "key", ["seconds", "discussion_hours", "open_hours", "min_open_hours", "min_tenure_days"]
)
def test_an_operator_may_set_what_no_vote_may(key: str) -> None:
    shortest = 1 if key == "open_hours" else 0
    lines = [
        f"{key} = {shortest}" if line.startswith(f"{key} =") else line
        for line in SHIPPED["voting"].split("\n")
    ]
    book = read(SHIPPED | {"voting": "\n".join(lines)})
    found = book.standing.min_tenure_days if key == "min_tenure_days" else getattr(book.rules["policy"], key)
    assert found == shortest


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("Spam", HEAD + "+++\nx", "lower-case letters"),
        ("x", "no block", "begins with a block of TOML"),
        ("x", "+++\ntitle = 1\n", "begins with a block of TOML"),
        ("x", "first\n" + HEAD + "+++\nx", "begins with a block of TOML"),
        ("x", HEAD + "oops\n+++\nx", "x.md: not TOML"),
        ("x", HEAD + "a = " + "[" * 5000 + "\n+++\nx", "x.md: "),
        ("x", '+++\ntitle = "T"\n+++\nx', "x.md: version: missing"),
        ("x", '+++\ntitle = "T"\nversion = "1"\n+++\nx', "x.md: version: "),
        ("x", HEAD + "a = 0.5\n+++\nx", "x.md: a"),
        ("x", HEAD + "+++\n \n", "it has no prose"),
        ("x", HEAD + "+++\nIt is {nothing}.", "{nothing} names no number"),
        ("x", HEAD + "+++\nIt is {vote.none.seconds}.", "{vote.none.seconds} names no number"),
        ("x", HEAD + "vote = 1\n+++\nx", "vote is no table"),
        ("x", HEAD + "[vote]\na = 1\n+++\nx", "vote.a is no table"),
        ("x", HEAD + '[vote."A B"]\n+++\nx', "vote.A B is no table"),
        ("x", HEAD + "[vote.lazy]\n+++\nx", "vote.lazy stands in voting.md already"),
        ("x", HEAD + "[vote.y]\nsecond = 1\n+++\nx", "vote.y.second: unknown key"),
        ("x", HEAD + '[vote.y]\nseconds = "1"\n+++\nx', "vote.y.seconds: "),
        ("x", HEAD + "[vote.y]\nseconds = true\n+++\nx", "vote.y.seconds: "),
        ("x", HEAD + "[vote.y]\nseconds = -1\n+++\nx", "vote.y: seconds = -1 is too small"),
        ("x", HEAD + '[vote.y]\nballot = "dice"\n+++\nx', "vote.y.ballot: "),
        ("x", HEAD + '[vote.y]\nveto = true\nballot = "irv"\n+++\nx', "vote.y: a veto needs ballot ="),
        ("x", HEAD + "[vote.y]\nveto = 1\n+++\nx", "vote.y.veto: "),
        ("x", HEAD + '[vote.y]\non_objection = "z"\n+++\nx', "vote.y.on_objection: no type z"),
        ("voting", HEAD + "+++\nx", "vote.default] is missing"),
        ("voting", HEAD + "[vote.default]\n+++\nx", "voting.md: standing"),
        (
            "voting",
            HEAD + "[standing]\nmin_tenure_days = 1\n[vote.default]\n+++\nx",
            "inactive_after_missed_votes: missing",
        ),
    ],
)
def test_a_fault_is_named_in_one_line(name: str, text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(SHIPPED | {name: text})
    said = str(raised.value)
    assert fault in said
    assert said.startswith("policies: ")
    assert "\n" not in said
    assert len(said) < 300


def test_what_the_bot_counts_by_must_be_there() -> None:
    with pytest.raises(ConfigError, match=r"policies: shares\.md is missing"):
        read({name: text for name, text in SHIPPED.items() if name != "shares"})


def test_folders_that_hold_no_policies(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no policy"):
        read_folder(tmp_path)
    (tmp_path / "x.md").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="policies: "):
        read_folder(tmp_path)
