import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop.quotes import quoted
from bot.core.binding import bind
from bot.core.masking import MASK, masked
from bot.core.words import split_words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   ", []),
        ("one two", ["one", "two"]),
        ('say "two words" now', ["say", "two words", "now"]),
        ("isn't it", ["isn't", "it"]),
        ('an "open end', ["an", '"open', "end"]),
        ('a"b" c', ['a"b"', "c"]),
        ('"a"b', ['"a"b']),
        ('"" x', ["", "x"]),
        ("tab\tand\u00a0nbsp", ["tab", "and", "nbsp"]),
    ],
)
def test_only_a_closed_quote_groups_words(line: str, words: list[str]) -> None:
    assert [word.text for word in split_words(line)] == words


@given(st.text())
def test_words_stand_where_they_say(line: str) -> None:
    end = 0
    for word in split_words(line):
        assert end <= word.start < word.end <= len(line)
        assert word.text in line[word.start : word.end]
        assert not line[end : word.start].strip()
        end = word.end
    assert not line[end:].strip()


@given(st.text(), st.integers(2, 60))
def test_a_quoted_word_cannot_fill_the_line(word: str, most: int) -> None:
    assert len(quoted(word, most)) <= most + 2


def vote(number: int, choice: str, *, reason: str = "") -> None: ...
def mark(choice: str, number: int) -> None: ...
def run(machine: str, *, command: str) -> None: ...
def link(code: str) -> None: ...


VOTE, MARK, RUN, LINK = (bind(handler, frozenset(), {}, where="test") for handler in (vote, mark, run, link))
CHOICE, COMMAND, CODE = frozenset({"choice"}), frozenset({"command"}), frozenset({"code"})


def test_private_words_are_masked_and_the_others_stay() -> None:
    assert masked("7 yes", VOTE, CHOICE) == f"7 {MASK}"
    assert masked('7 "yes please" since I  can ', VOTE, CHOICE) == f"7 {MASK} since I  can"
    assert masked("ford-3 cat /etc/shadow", RUN, COMMAND) == f"ford-3 {MASK}"
    assert masked("yes 7", MARK, CHOICE) == f"{MASK} 7"
    assert masked("7  yes", VOTE, frozenset()) == "7  yes"
    assert masked("", VOTE, CHOICE) == ""


def test_what_stands_behind_a_private_word_and_fits_nothing_is_masked_too() -> None:
    assert masked("one two three", LINK, CODE) == f"{MASK} {MASK} {MASK}"


PUBLIC = st.text("abc'\"", min_size=1, max_size=5)
PRIVATE = st.text("xyz'", min_size=1, max_size=5).filter(lambda word: word.strip("'"))
SPACE = st.sampled_from([" ", "  ", "\t"])


@given(PUBLIC.filter(lambda word: '"' not in word), PRIVATE, st.lists(PUBLIC), SPACE)
def test_a_private_word_never_shows(number: str, choice: str, reason: list[str], space: str) -> None:
    said = f"{number}{space}{choice}{space}{' '.join(reason)}"
    assert not set("xyz") & set(masked(said, VOTE, CHOICE))


@given(PUBLIC.filter(lambda word: '"' not in word), st.lists(PRIVATE, min_size=1), SPACE)
def test_nothing_shows_of_a_private_rest_of_the_line(machine: str, words: list[str], space: str) -> None:
    assert not set("xyz") & set(masked(f"{machine}{space}{space.join(words)}", RUN, COMMAND))
    assert not set("xyz") & set(masked(space.join(words), LINK, CODE))
