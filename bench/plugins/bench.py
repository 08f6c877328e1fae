"""A command that takes its time, so that it can be seen whom that delays."""

from bot import Clock, Plugin, anyone

plugin = Plugin("bench")


@plugin.command("bench slow", allow=anyone, reads=True)
async def slow(clock: Clock, seconds: int, *, word: str) -> str:
    """Answer like ping, but after that many seconds."""
    await clock.sleep(seconds)
    return f"pong {word}"
