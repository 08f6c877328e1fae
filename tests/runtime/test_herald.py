import asyncio

from bot.coop.questions import StatusPart
from bot.ports import LinkStatus
from bot.runtime.herald import LONGEST, LOOK_SECONDS, Herald
from bot.testing import FakeClock, settle


class Board:
    """A transport's status line."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def show(self, text: str) -> None:
        self.shown.append(text)


async def test_it_shows_how_the_ship_is() -> None:
    board, clock, parts, up = Board(), FakeClock(), ["2 machines down", ""], [False]

    async def ask(_: StatusPart) -> tuple[str, ...]:
        return tuple(parts)

    herald = Herald(ask, lambda: (LinkStatus("irc", up[0]),), (board,), clock)  # type: ignore[arg-type]  # it only shows
    running = asyncio.ensure_future(herald.run())
    await settle()
    parts[:], up[0] = [], True
    await clock.advance(LOOK_SECONDS)
    parts[:] = ["x" * 500]
    await clock.advance(LOOK_SECONDS)
    running.cancel()
    assert board.shown == ["2 machines down; irc down", "all is well", "x" * LONGEST]
