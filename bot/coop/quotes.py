"""People's words in what is said to them. Pure."""

_INNER = str.maketrans("“”", "''")


def quoted(word: str, most: int = 40) -> str:
    """Quote a person's word, which can neither fill the line nor end the quotes."""
    word = word.translate(_INNER)
    return f"“{word if len(word) <= most else word[: most - 1] + '…'}”"
