import pytest

from bot.coop.chaintable import refusal, statements


def test_a_chained_table_is_made_with_its_head_and_its_walls() -> None:
    made, head, *walls = statements("deeds", {"actor": "TEXT NOT NULL", "at": "TEXT"})
    assert made.startswith(
        'CREATE TABLE "deeds" (seq INTEGER PRIMARY KEY, "actor" TEXT NOT NULL, "at" TEXT, prev'
    )
    assert "VALUES ('deeds', 0, '" in head
    assert [wall.split('"')[1] for wall in walls] == ["deeds_no_insert", "deeds_no_update", "deeds_no_delete"]


@pytest.mark.parametrize("name", ["", "Deeds", "1st", "a b", 'a"', "a'); DROP TABLE members; --", "dé"])
def test_what_is_no_name_makes_no_table(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a chained table"):
        statements(name, {"actor": "TEXT"})
    with pytest.raises(ValueError, match="is no name for a chained table"):
        statements("deeds", {name: "TEXT"})


def test_a_refusal_names_its_table_and_what_is_not_done() -> None:
    assert refusal("deeds", "DELETE", "OLD.seq > 1").startswith(
        'CREATE TRIGGER "deeds_no_delete" BEFORE DELETE ON "deeds" WHEN OLD.seq > 1 BEGIN SELECT RAISE(ABORT,'
    )
