from bot.coop.nearest import nearest


def test_the_word_most_like_it_was_meant() -> None:
    assert nearest("backup", ["bandwidth", "backups", "kernels"]) == "backups"


def test_nothing_like_it_was_meant_by_nobody() -> None:
    assert nearest("zaphod", ["bandwidth", "backups"]) is None
    assert nearest("zaphod", iter(())) is None
