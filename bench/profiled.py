"""Runs shipboard under cProfile: `python -m bench.profiled FILE run --config CONFIG`.

The profile is of the event loop's thread, and is written to FILE when the bot has ended.
"""

import cProfile
import sys

from bot.cli import main

if __name__ == "__main__":
    profile = cProfile.Profile()
    try:
        status = profile.runcall(main, sys.argv[2:])
    finally:
        profile.dump_stats(sys.argv[1])
    sys.exit(status)
