import itertools
import os
from pathlib import Path

import pytest

from bot.errors import Conflict
from bot.hypervisors.uml.uids import UIDS, GuestUids, pick_uid, uids_in_use


def test_a_machine_keeps_its_uid_and_no_two_share_one() -> None:
    first = pick_uid("ford/ford-1", ())
    assert first == pick_uid("ford/ford-1", ())
    assert first in UIDS
    taken: set[int] = set()
    for _ in UIDS:
        taken.add(pick_uid("ford/ford-1", taken))
    assert taken == set(UIDS)
    with pytest.raises(Conflict, match="60578 to 61183"):
        pick_uid("ford/ford-1", taken)


def test_our_own_uid_is_in_use() -> None:
    assert {os.geteuid(), 65534} <= uids_in_use()


def test_two_machines_that_start_together_get_two_uids(tmp_path: Path) -> None:
    names = (f"ford-{number}" for number in itertools.count(2))
    twin = next(name for name in names if _first(tmp_path, name) == _first(tmp_path, "ford-1"))
    uids = GuestUids(tmp_path)
    picked = [uids.pick("ford-1"), uids.pick(twin)]  # neither has its record yet
    assert picked == [_first(tmp_path, "ford-1"), picked[0] + 1 if picked[0] + 1 in UIDS else UIDS.start]
    assert [uids.pick("ford-1"), uids.pick(twin)] == picked


def _first(folder: Path, name: str) -> int:
    return pick_uid(f"{folder}/{name}", ())
