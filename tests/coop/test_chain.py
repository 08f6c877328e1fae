from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.coop.chain import GENESIS, SHOWN, Cell, Link, Verdict, digest, is_head, verify, walk

CELLS = st.dictionaries(
    st.sampled_from(["at", "kind", "words", "ref"]),
    st.one_of(st.none(), st.integers(), st.text(st.characters(codec=None))),
)


def chained(rows: list[Mapping[str, Cell]]) -> list[Link]:
    links: list[Link] = []
    for seq, cells in enumerate(rows, 1):
        prev = links[-1].hash if links else GENESIS
        links.append(Link(seq, cells, prev, digest(prev, seq, cells)))
    return links


def present(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    return {name: cell for name, cell in cells.items() if cell is not None}


FIVE = chained([{"words": f"row {n}", "ref": n} for n in range(1, 6)])


def test_an_empty_chain_is_whole() -> None:
    assert walk([]) == verify([]) == Verdict(0, GENESIS)


@given(st.lists(CELLS, max_size=8))
def test_what_was_written_is_whole(rows: list[Mapping[str, Cell]]) -> None:
    links = chained(rows)
    head = links[-1].hash if links else GENESIS
    assert verify(links, length=len(rows), head=head) == Verdict(len(rows), head)
    assert verify(links, head=head[:SHOWN].upper()).whole


@given(st.lists(CELLS, min_size=1, max_size=6), st.data())
def test_a_changed_row_is_named(rows: list[Mapping[str, Cell]], data: st.DataObject) -> None:
    links = chained(rows)
    place = data.draw(st.integers(0, len(links) - 1))
    other = data.draw(CELLS)
    changed = replace(links[place], cells=other)
    if present(other) == present(rows[place]):
        assert walk([*links[:place], changed, *links[place + 1 :]]).whole
    else:
        verdict = walk([*links[:place], changed, *links[place + 1 :]])
        assert verdict.fault == f"row {place + 1} was changed"
        assert verdict.length == place


@pytest.mark.parametrize("place", range(5))
def test_a_removed_row_is_named(place: int) -> None:
    left = [*FIVE[:place], *FIVE[place + 1 :]]
    assert verify(left, length=5).fault == f"row {place + 1} is missing"


def test_a_row_that_was_removed_and_the_others_renumbered_is_named() -> None:
    moved = [replace(link, seq=link.seq - 1) for link in FIVE[2:]]
    assert walk([FIVE[0], *moved]).fault == "row 2 does not follow the row before it"


def test_an_inserted_row_is_named() -> None:
    forged = Link(3, {"words": "forged"}, FIVE[1].hash, digest(FIVE[1].hash, 3, {"words": "forged"}))
    assert walk([*FIVE[:2], forged, *FIVE[2:]]).fault == "row 3 does not belong there, after row 3"
    later = [replace(link, seq=link.seq + 1) for link in FIVE[2:]]
    assert walk([*FIVE[:2], forged, *later]).fault == "row 4 does not follow the row before it"
    assert (
        walk([Link(0, {}, GENESIS, digest(GENESIS, 0, {}))]).fault
        == "row 0 does not belong there, after row 0"
    )


def test_a_row_too_many_at_the_end_is_named() -> None:
    assert verify(FIVE, length=4).fault == "row 5 is one too many, 4 were written"


@pytest.mark.parametrize("kept", range(5))
def test_a_cut_tail_is_found_by_its_published_head(kept: int) -> None:
    verdict = verify(FIVE[:kept], head=FIVE[4].hash[:SHOWN])
    assert verdict.fault == (
        f"no row has the published head {FIVE[4].hash[:12]}: the tail from row {kept + 1} was cut, "
        "or it is mistyped"
    )
    assert verify(FIVE, head=FIVE[kept].hash).whole


def test_a_chain_written_anew_has_not_the_published_head() -> None:
    anew = chained([{"words": "a nicer past"}] * 5)
    assert not verify(anew, length=5, head=FIVE[2].hash).whole


@pytest.mark.parametrize("head", ["", "f", GENESIS[:11], "g" * 12, "0" * 65, "row 1"])
def test_what_is_no_head_is_never_found(head: str) -> None:
    assert not is_head(head)
    assert not verify(FIVE, head=head).whole


def test_the_head_of_the_empty_chain_is_a_head_too() -> None:
    assert verify(FIVE, head=GENESIS[:12]).whole


@given(CELLS, CELLS)
def test_two_rows_share_a_hash_only_if_they_are_the_same(
    one: Mapping[str, Cell], other: Mapping[str, Cell]
) -> None:
    same = {k: v for k, v in one.items() if v is not None} == {
        k: v for k, v in other.items() if v is not None
    }
    assert (digest(GENESIS, 1, one) == digest(GENESIS, 1, other)) == same


def test_the_hash_is_what_is_documented() -> None:
    assert digest(GENESIS, 1, {"b": None, "a": "ä"}) == (
        "eecae122a507c63ba142b2bc24fb93b111139a2802c996629be23d1384683418"
    )
