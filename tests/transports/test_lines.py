import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transports.lines import TokenBucket, cap, clean, hush, payload, share_out, split

ANY = st.text(st.characters(exclude_categories=()), max_size=300)
CLEAN = ANY.map(clean)


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("plain", "plain"),
        ("a\tb", "a b"),
        ("one\r\ntwo\nthree\u2028four", "one two three four"),
        ("hi \x10rTOPIC #z :x", "hi rTOPIC #z :x"),
        ("nul\0cr\rx", "nulcr x"),
        ("\x1b[31;1mred\x1b[0m \x1b]0;title\x07bell\x07", "red bell"),
        ("\x0304,01colour\x03 \x02bold\x02 \x04ff0000hex", "colour bold hex"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("lone \ud800 half", "lone \ufffd half"),
        ("\x9b31m c1 \x85next", "31m c1  next"),
        ("Grüße 🚀", "Grüße 🚀"),
    ],
)
def test_what_goes_out_is_one_harmless_line(dirty: str, tidy: str) -> None:
    assert clean(dirty) == tidy


@given(ANY)
def test_cleaning_twice_changes_nothing_and_leaves_no_control(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert len(once.splitlines()) <= 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or 0xD800 <= ord(char) < 0xE000 for char in once)
    once.encode()


@given(CLEAN, st.integers(4, 60))
def test_pieces_fit_and_lose_nothing_but_spaces(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(0 < len(piece.encode()) <= limit for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    at = 0
    for piece in pieces:
        found = text.index(piece, at)
        assert not text[at:found].strip(" ")
        at = found + len(piece)
    assert not text[at:].strip(" ")


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("", 10, ()),
        ("one two three", 7, ("one two", "three")),
        ("one two three", 8, ("one two", "three")),
        ("abcdefghij", 4, ("abcd", "efgh", "ij")),
        ("ääää", 5, ("ää", "ää")),
        ("🚀🚀", 7, ("🚀", "🚀")),
        ("    indented", 8, ("    inde", "nted")),
        ("a    b", 4, ("a   ", "b")),
    ],
)
def test_splitting_prefers_spaces(text: str, limit: int, pieces: tuple[str, ...]) -> None:
    assert split(text, limit) == pieces


def test_a_limit_below_one_code_point_is_refused() -> None:
    with pytest.raises(ValueError, match="code point"):
        split("x", 3)


def test_the_payload_leaves_room_for_the_prefix_that_others_see() -> None:
    mask, target = "Eddie!eddie@bot.host", "#ford"
    text = "x" * payload(mask, target)
    assert len(f":{mask} PRIVMSG {target} :{text}\r\n") == 512


def test_what_does_not_fit_the_room_is_shared_out() -> None:
    assert share_out(("a", "b", "c"), 3) == (("a", "b", "c"), ())
    assert share_out(("a", "b", "c", "d"), 3) == (("a", "b"), ("c", "d"))
    assert share_out(("a", "b"), 1) == ((), ("a", "b"))


def test_a_cut_answer_says_how_much_is_missing() -> None:
    assert cap(("a", "b"), 2) == ("a", "b")
    assert cap(("a", "b", "c"), 2) == ("a", "(2 more lines were cut)")
    assert cap(("a", "b"), 1) == ("(2 more lines were cut)",)


def test_the_bucket_gives_a_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(5, 2.0)
    assert [bucket.take(100.0) for _ in range(5)] == [0.0] * 5
    assert bucket.take(100.0) == 0.5
    assert bucket.take(100.5) == 0.0
    assert bucket.take(90.0) > 0
    assert bucket.take(1000.0, 99) == 0.0
    assert bucket.take(1000.0, 2) == 1.0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 7)), max_size=60))
def test_the_bucket_never_gives_more_than_its_rate(asks: list[tuple[float, int]]) -> None:
    bucket, now, taken = TokenBucket(5, 2.0), 0.0, 0
    for pause, count in asks:
        now += pause
        if bucket.take(now, count) == 0:
            taken += min(count, 5)
    assert taken <= 5 + 2.0 * now + 1e-6


@pytest.mark.parametrize(
    ("nicks", "text"),
    [
        ((), "alice: hi"),
        (("a",), "alice: hi a"),
        (("alice",), "a\u200blice: hi, A\u200bLICE; malice, alices"),
        (("al", "al.x", "alice"), "a\u200bl.x or a\u200bl, a\u200blice"),
        (("[x]", "ünal"), "[\u200bx] and ü\u200bnal_"),
        (("alice",), "see https://alice.example/alice a\u200blice"),
    ],
)
def test_hushed_nicks_look_the_same_and_call_nobody(nicks: tuple[str, ...], text: str) -> None:
    plain = text.replace("\u200b", "")
    assert hush(plain, nicks) == clean(text) == text
