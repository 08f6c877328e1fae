"""Amounts of time, of bytes and of things in the words of a chat line."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
_ONE_DECIMAL_BELOW = 10


def span(seconds: float) -> str:
    """Return a length of time with its two largest units.

    >>> span(7380), span(59.4), span(0)
    ('2 h 3 min', '59 s', '0 s')
    """
    rest, parts = int(seconds), []
    for size, unit in _UNITS:
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(parts[:2]) or "0 s"


def counted(amount: int, what: str) -> str:
    """Return an amount with the word for what is counted.

    >>> counted(1, "line"), counted(2, "machine"), counted(0, "host")
    ('1 line', '2 machines', '0 hosts')
    """
    return f"{amount} {what}" if amount == 1 else f"{amount} {what}s"


def size(amount: int) -> str:
    """Return an amount of bytes in binary units.

    >>> size(900), size(21 * 2**20), size(24 * 2**30)
    ('900 B', '21 MiB', '24 GiB')
    """
    value = float(amount)
    for unit in _BYTES[:-1]:
        if value < _STEP:
            return _short(value, unit)
        value /= _STEP
    return _short(value, _BYTES[-1])


def _short(value: float, unit: str) -> str:
    digits = f"{value:.1f}".removesuffix(".0") if value < _ONE_DECIMAL_BELOW else f"{value:.0f}"
    return f"{digits} {unit}"
