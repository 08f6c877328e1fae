"""Draw one chart: JSON on standard input, a PNG on standard output; status 3 where matplotlib is missing."""

import os
import resource
import sys

SECONDS, MEMORY, FILE = 20, 2 << 30, 1 << 24
"""What drawing may cost at most: seconds of a processor, bytes of addresses, bytes of a file."""

MISSING = 3
"""The exit status where what draws is not installed."""


def main() -> int:
    """Draw; what cannot be drawn ends with its reason as the last line on standard error."""
    os.nice(10)
    for limit, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILE),
    ):
        hard = resource.getrlimit(limit)[1]
        lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (lower, lower))
    try:
        from bot.charts.drawing import draw  # noqa: PLC0415 - only with the limits in force
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error}\n")
        return MISSING
    from bot.charts.wire import read  # noqa: PLC0415 - goes with it

    sys.stdout.buffer.write(draw(read(sys.stdin.buffer.read())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
