import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.policies import read_folder
from bot.coop.policy import Change, Policy, PolicyBook, VotingStanding, patched, read_changes, shown
from bot.coop.shares import Share
from bot.coop.voterules import VoteRules, below_floor
from bot.paths import share

BOOK = read_folder(share("policies"))
FILE = (
    '+++\ntitle = "T"\nversion = 3\nwarn = 5 # why\n\n[vote.a]\nseconds = 2\n\n[vote.b]\n+++\nProse {warn}.\n'
)


@pytest.mark.parametrize("name", sorted(BOOK.policies))
def test_prose_never_repeats_a_number(name: str) -> None:
    assert re.findall(r"\d+", re.sub(r"\{[^}]*\}", "", BOOK.policies[name].prose)) == []
    assert "{" not in BOOK.prose(name)


def test_our_own_rules_keep_the_floors() -> None:
    assert [fault for kind, rules in BOOK.rules.items() if (fault := below_floor(kind, rules))] == []


def test_what_a_path_names() -> None:
    assert BOOK.number("bandwidth.warn_at_pct") == 80
    assert BOOK.value("warn_at_pct", "bandwidth") == 80
    assert BOOK.value("voting.standing.min_tenure_days") == 45
    assert BOOK.value("vote.expel.seconds") == 2
    assert BOOK.value("vote.policy.threshold") == "more than 1/2 of the votes cast"
    assert BOOK.value("vote.purchase.quorum") == "1/2 of the shares and at least 3 people"
    assert BOOK.value("vote.lazy.quorum") == "none"
    assert list(BOOK.fields("warez")) == ["answer_hours"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "bandwidth",
        "bandwidth.warn",
        "vote.expel",
        "vote.none.seconds",
        "vote.expel.__class__",
        "vote.expel.Seconds",
        "vote.expel.thirds",
        "voting.standing",
        "voting.standing.min_tenure_days.x",
        "nowhere.x",
    ],
)
def test_what_no_path_names(path: str) -> None:
    with pytest.raises(KeyError):
        BOOK.value(path)


@pytest.mark.parametrize("path", ["bandwidth.title", "vote.expel.yes_strict"])
def test_what_is_no_number(path: str) -> None:
    with pytest.raises(KeyError):
        BOOK.number(path)


def test_a_half_share_gets_half() -> None:
    assert BOOK.allowance(Share.FULL, "transfer_gib_month") == 2 * BOOK.allowance(
        Share.HALF, "transfer_gib_month"
    )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("open_hours", 168, "7 days"),
        ("open_hours", 0, "0 hours"),
        ("open_hours", 25, "25 hours"),
        ("notice_days", 1, "1 day"),
        ("cpu_minutes", 15, "15 minutes"),
        ("warn_at_pct", 80, "80 %"),
        ("price_cents", 1005, "10.05 USD"),
        ("memory_mib", 64, "64 MiB"),
        ("disk_gib", 4, "4 GiB"),
        ("transfer_gib_month", 9, "9 GiB"),
        ("seconds", 2, "2"),
        ("free_from", "22:00", "22:00"),
        ("yes_strict", True, "yes"),
        ("yes_strict", False, "no"),
    ],
)
def test_numbers_in_words(key: str, value: str | int, words: str) -> None:
    assert shown(key, value) == words


def test_reading_what_a_motion_changes() -> None:
    text = "Let us be kinder: bandwidth.warn_at_pct = 85 and vote.policy-change.open_hours=240, 5 = 6"
    assert read_changes(text) == (
        Change("bandwidth", "warn_at_pct", 85),
        Change("vote.policy-change", "open_hours", 240),
    )
    assert str(Change("bandwidth", "warn_at_pct", 85)) == "bandwidth.warn_at_pct = 85"


@pytest.mark.parametrize(
    ("change", "line", "after"),
    [
        (Change("t", "warn", 9), "warn = 9 # why", "version = 4"),
        (Change("t", "new", 1), "new = 1", "version = 4"),
        (Change("vote.a", "seconds", 3), "seconds = 3", "[vote.a]"),
        (Change("vote.b", "seconds", 4), "seconds = 4", "[vote.b]"),
    ],
)
def test_a_change_touches_its_line_and_the_version(change: Change, line: str, after: str) -> None:
    lines = patched(FILE, change).split("\n")
    assert "version = 4" in lines
    assert line in lines[lines.index(after) :]
    changed = set(lines) ^ set(FILE.split("\n"))
    assert changed <= {line, "version = 3", "version = 4", "warn = 5 # why", "seconds = 2"}


def test_a_change_needs_its_table() -> None:
    with pytest.raises(KeyError):
        patched(FILE, Change("vote.c", "seconds", 3))
    with pytest.raises(KeyError):
        patched('+++\ntitle = "T"\n+++\nProse.\n', Change("t", "warn", 3))


def test_a_book_knows_its_content() -> None:
    def book(text: str) -> PolicyBook:
        return PolicyBook({"a": Policy("a", "A", 1, {}, "x", text)}, {}, VotingStanding(45, 4))

    assert book("one").digest == book("one").digest != book("two").digest
    assert len(book("one").policies["a"].digest) == 64


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"quorum_den": 0}, "quorum_den = 0 is too small"),
        ({"yes_num": 3, "yes_den": 2}, "yes_num = 3 is more than yes_den = 2"),
        ({"quorum_num": 2, "quorum_den": 1}, "quorum_num = 2 is more than quorum_den = 1"),
        ({"yes_num": 1, "yes_den": 1}, "yes_strict asks for more than everything"),
        ({"open_hours": 0}, "open_hours = 0 is too small"),
        ({"seconds": -1}, "seconds = -1 is too small"),
        ({"max_no": -2}, "max_no = -2 is too small"),
        ({"veto_override_den": 0}, "veto_override_den = 0 is too small"),
        ({"veto_override_num": 2}, "veto_override_num = 2 is more than veto_override_den = 1"),
        (
            {"veto": True, "veto_override_num": 2, "veto_override_den": 5},
            "veto_override = 2/5 is less than what passes without a veto",
        ),
        ({"veto": True, "ballot": "schulze"}, 'a veto needs ballot = "yesno" and secrecy = "open"'),
        ({"veto": True, "ballot": "lazy"}, 'a veto needs ballot = "yesno" and secrecy = "open"'),
        ({"veto": True, "secrecy": "secret"}, 'a veto needs ballot = "yesno" and secrecy = "open"'),
    ],
)
def test_numbers_that_make_no_rule(change: Mapping[str, int | str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        VoteRules(**change)  # type: ignore[arg-type]  # a table of integers


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"veto": True}, "a veto stops it"),
        (
            {"veto": True, "veto_override_num": 3, "veto_override_den": 4},
            "a veto stops it below 3/4",
        ),
    ],
)
def test_a_veto_in_words(change: Mapping[str, int | str], words: str) -> None:
    assert VoteRules(**change).veto_rule == words  # type: ignore[arg-type]  # a table's values


@given(st.integers(1, 40), st.integers(1, 40))
def test_the_threshold_has_a_floor(num: int, den: int) -> None:
    if num > den or num == den:
        return
    fault = below_floor("policy", VoteRules(yes_num=num, yes_den=den))
    assert (fault is None) == (2 * num >= den)


@pytest.mark.parametrize(
    ("kind", "rules", "fault"),
    [
        ("policy", VoteRules(open_hours=71), "a ballot must stay open for 72 h at least"),
        ("policy", VoteRules(min_open_hours=71), "a ballot must stay open for 72 h at least"),
        ("emergency", VoteRules(open_hours=24, min_open_hours=12), None),
        (
            "emergency",
            VoteRules(open_hours=11, min_open_hours=12),
            "a ballot must stay open for 12 h at least",
        ),
        ("expel", VoteRules(), "the threshold cannot be below 2/3"),
        ("expel", VoteRules(yes_num=2, yes_den=3, yes_strict=False), "of the whole electorate"),
        ("lazy", VoteRules(ballot="lazy", yes_num=1, yes_den=9), None),
    ],
)
def test_floors(kind: str, rules: VoteRules, fault: str | None) -> None:
    found = below_floor(kind, rules)
    assert found == fault if fault is None else fault in (found or "")


def test_a_threshold_in_words() -> None:
    rules = VoteRules(yes_num=2, yes_den=3, yes_strict=False, yes_of="present")
    assert rules.threshold == "at least 2/3 of all ballots"
