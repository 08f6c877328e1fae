from datetime import UTC, datetime, timedelta

import pytest

from bot.transports.irc.history import History, instant
from bot.transports.irc.line import Line

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def said(at: datetime, tags: str = "") -> Line:
    return Line("PRIVMSG", ("#a", "!x"), "a!b@c", f"time={at.isoformat().replace('+00:00', 'Z')}{tags}")


def batch(*params: str, tags: str = "") -> Line:
    return Line("BATCH", params, "srv", tags)


def test_what_is_older_than_half_a_minute_is_history() -> None:
    history = History()
    assert not history.replayed(said(NOW - timedelta(seconds=30)), NOW)
    assert history.replayed(said(NOW - timedelta(seconds=31)), NOW)
    assert not history.replayed(Line("PRIVMSG"), NOW)


def test_age_is_by_the_servers_own_clock() -> None:
    history, behind = History(), NOW - timedelta(hours=1)
    history.measure(Line("PONG", tags="time=nonsense"), NOW)
    history.measure(Line("PONG", tags="time=2026-11-22T11:00:00.000Z;batch=x"), NOW)
    assert history.offset is None
    history.measure(Line("PONG", tags="time=2026-11-22T11:00:00.000Z"), NOW)
    assert not history.replayed(said(behind), NOW)
    assert history.replayed(said(behind - timedelta(seconds=31)), NOW)
    assert history.at(said(behind), NOW) == NOW
    assert history.at(said(behind - timedelta(seconds=5)), NOW) == NOW - timedelta(seconds=5)
    assert history.at(Line("PRIVMSG"), NOW) == NOW


def test_no_instant_breaks_it() -> None:
    history = History(offset=timedelta(days=2))
    assert history.at(said(datetime.min.replace(tzinfo=UTC)), NOW) == NOW
    assert history.replayed(said(datetime.min.replace(tzinfo=UTC)), NOW)
    assert history.at(said(datetime.max.replace(tzinfo=UTC)), NOW) <= NOW


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", "2026-11-22T12:00:00", "2026-11-22T12:00:00+01:00", "9" * 99]
)
def test_only_utc_instants_count(text: str | None) -> None:
    assert instant(text) is None


def test_batches_tell_playback_from_live() -> None:
    history = History()
    history.batch(batch("+1", "chathistory", "#a"))
    history.batch(batch("+2", "labeled-response"))
    history.batch(batch("+3", "labeled-response", tags="batch=1"))
    history.batch(batch("+4", "labeled-response", tags="batch=2"))
    assert [history.replayed(said(NOW, f";batch={ref}"), NOW) for ref in "12345"] == [
        True,
        False,
        True,
        False,
        True,
    ]
    history.batch(batch("-2"))
    history.batch(batch("-9"))
    history.batch(batch())
    history.batch(batch("2"))
    assert history.replayed(said(NOW, ";batch=2"), NOW)
    for number in range(100):
        history.batch(batch(f"+x{number}", "labeled-response"))
    assert not history.replayed(said(NOW, ";batch=x60"), NOW)
    assert history.replayed(said(NOW, ";batch=x99"), NOW)
