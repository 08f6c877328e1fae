"""shipboard vote export: what it writes is what the checker reads, and nothing that nobody is to know yet."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli import main
from bot.testing import Chat
from plugins.votes import due
from plugins.votes.motion import End
from plugins.votes.tally import recount
from tests.house.conftest import ROOT
from tests.plugins.votes.talking import WEEK, on_ballot, opened, vote
from tests.plugins.votes.talking import later as after

CHECKER = ROOT / "docs" / "check_certificate.py"
Shell = Callable[..., tuple[int, str]]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    config = tmp_path / "config.toml"
    config.write_text(f'[bot]\nstate = "{tmp_path}"\n')

    def run(*words: str) -> tuple[int, str]:
        status = main(["--config", str(config), *words])
        said = capsys.readouterr()
        assert (said.out == "") == (status == 2)
        assert (said.err == "") == (status != 2)
        return status, said.out or said.err

    return run


def checked(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run the checker as somebody who has nothing else of ours."""
    command = [sys.executable, "-I", str(CHECKER), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def flipped(names: list[str]) -> Iterator[int]:
    """Check with one byte changed, here and there in each file."""
    for path in map(Path, names):
        was = path.read_bytes()
        for place in (0, len(was) // 3, len(was) // 2, len(was) - 2):
            path.write_bytes(was[:place] + bytes([was[place] ^ 1]) + was[place + 1 :])
            yield checked(*names).returncode
        path.write_bytes(was)


async def voted(chat: Chat, line: str, **words: str) -> None:
    await on_ballot(chat, line)
    await vote(chat, **words)
    await chat.told()


async def test_what_is_exported_is_what_the_checker_reads(tmp_path: Path, shell: Shell) -> None:
    """While the bot runs; and whoever changes a byte of either file is found out."""
    folder = tmp_path / "out of the ship"
    async with opened(tmp_path) as chat:
        await voted(chat, "policy Buy 8 GiB RAM | As we swap.", alice="yes", bob="no", ann="yes", abe="yes")
        head = (await chat.say("bob", "!vote cert 1")).splitlines()[0][-13:-1]
        status, said = shell("vote", "export", "1", str(folder))
    assert status == 0
    command = said.splitlines()[-1]
    assert command == f"python3 check_certificate.py '{folder}/certificate.json' '{folder}/events.jsonl'"
    names = [str(folder / "certificate.json"), str(folder / "events.jsonl")]
    done = checked(*names)
    assert (done.returncode, done.stderr, "NO " in done.stdout) == (0, "", False)
    assert f'"hash":"{head}' in (folder / "events.jsonl").read_text("utf-8")
    assert all(status != 0 for status in flipped(names))
    assert checked(*names).returncode == 0


async def test_a_secret_ballot_has_receipts_and_no_names(tmp_path: Path, shell: Shell) -> None:
    folder = tmp_path / "out"
    async with opened(tmp_path) as chat:
        await on_ballot(chat, "admit zoe | Knows disks.")
        answers = await vote(chat, alice="1 no", bob="1 yes", ann="1 yes", abe="1 yes because of disks")
        tokens = {
            said.split("(to ")[1].split(")")[0]: said.split("token ")[1].split(".")[0] for said in answers
        }
        assert shell("vote", "export", "1", str(folder))[0] == 0
    names = [str(folder / "certificate.json"), str(folder / "events.jsonl")]
    certificate = json.loads((folder / "certificate.json").read_text("utf-8"))
    assert sorted(certificate["ballots"].values()) == ["no", "yes", "yes", "yes"]
    assert all(len(receipt) == 16 for receipt in certificate["ballots"])
    assert certificate["voters"] == ["abe", "alice", "ann", "bob"]
    events = (folder / "events.jsonl").read_text("utf-8")
    cast = [json.loads(row["body"]) for row in map(json.loads, events.splitlines()) if row["kind"] == "voted"]
    assert [(one["words"], one["reason"]) for one in cast] == [("", "")] * 4
    assert not any(token in events for token in tokens.values())
    assert checked(*names).returncode == 0
    done = checked(*names, "alice", tokens["alice"])
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "yes ballot of alice: ['no']")
    assert checked(*names, "bob", tokens["alice"]).returncode == 1


@pytest.mark.parametrize("kind", ["policy Tea", "admit zoe | Knows disks."])
async def test_nothing_is_told_of_an_open_ballot(tmp_path: Path, shell: Shell, kind: str) -> None:
    folder = tmp_path / "out"
    async with opened(tmp_path) as chat:
        await on_ballot(chat, "policy Paint it")
        await voted(chat, kind, bob="2 no")
        assert "Motion 2 is still open; only the turnout is told: 1 of 4 voted" in wrong(shell, "2", folder)
        await vote(chat, alice="1 yes", bob="1 yes", ann="1 yes", abe="1 yes")
        said = wrong(shell, "1", folder)
        assert "motion 2 is open, and its ballots stand between the events of motion 1" in said
        assert not folder.exists()
        await vote(chat, alice="2 yes", ann="2 yes", abe="2 yes")
        assert shell("vote", "export", "1", str(folder))[0] == 0
        assert checked(str(folder / "certificate.json"), str(folder / "events.jsonl")).returncode == 0


async def test_the_chain_ends_before_the_ballots_of_what_is_open(tmp_path: Path, shell: Shell) -> None:
    """As when a secret ballot's links are erased while another is open."""
    folder = tmp_path / "out"
    async with opened(tmp_path) as chat:
        await voted(chat, "admit zoe | Knows disks.", alice="yes", bob="yes", ann="yes", abe="yes")
        await after(chat, WEEK - 3600)
        await voted(chat, "policy Tea", alice="2 yes")
        await after(chat, 2 * 3600)
        assert any("is erased" in line for _, line in await chat.told())
        assert shell("vote", "export", "1", str(folder))[0] == 0
    events = (folder / "events.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in events.splitlines()]
    assert {row["motion"] for row in rows} == {1}
    assert rows[-1]["kind"] == "tookeffect"
    assert checked(str(folder / "certificate.json"), str(folder / "events.jsonl")).returncode == 0


async def test_what_cannot_be_exported_is_one_line(tmp_path: Path, shell: Shell) -> None:
    folder = tmp_path / "out"
    async with opened(tmp_path) as chat:
        assert "There is no motion 1" in wrong(shell, "1", folder)
        await chat.say("alice", "!propose policy Tea")
        assert "has no count: it is seconding" in wrong(shell, "1", folder)
        await chat.say("alice", "!withdraw 1")
        assert "has no count: it was withdrawn" in wrong(shell, "1", folder)
        await voted(chat, "policy Tea", alice="yes", bob="no", ann="yes", abe="yes")
        for word in ("0x2", "-2", "two", "9" * 30, "²"):
            assert "is no motion's number" in wrong(shell, word, folder)
        assert shell("vote", "export", "2", str(folder))[0] == 0
        assert shell("vote", "export", "#2", str(folder))[0] == 0  # the same once more
        await voted(chat, "policy Cake", alice="3 yes", bob="3 no", ann="3 yes", abe="3 yes")
        said = wrong(shell, "3", folder)
        assert said.endswith("certificate.json: is there already, and another one; choose another folder\n")
        assert "Not a directory" in wrong(shell, "3", tmp_path / "config.toml" / "x")
        await chat.store.write(lambda tx: tx.db.execute("DROP TRIGGER votes_events_no_update"))
        await chat.store.write(
            lambda tx: tx.db.execute("UPDATE votes_events SET actor = 'eve' WHERE seq = 3")
        )
        assert "the chain of events is broken: row 3 was changed; see shipboard verify" in wrong(
            shell, "3", tmp_path / "new"
        )


def wrong(shell: Shell, word: str, folder: Path) -> str:
    status, said = shell("vote", "export", word, str(folder))
    assert (status, said.count("\n")) == (2, 1), said
    return said


def test_without_a_database_and_without_votes_in_it(tmp_path: Path, shell: Shell) -> None:
    assert "there is no database yet" in wrong(shell, "1", tmp_path / "out")
    assert shell("member", "add", "alice")[0] == 0
    assert "the bot has not run with votes here" in wrong(shell, "1", tmp_path / "out")


async def test_verify_counts_every_closed_motion_again(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as chat:
        await voted(chat, "policy Tea", alice="yes", bob="no", ann="yes", abe="yes")
        await voted(chat, "admit zoe | Knows disks.", alice="yes", bob="no", ann="yes", abe="yes")
        await on_ballot(chat, "policy Cake")
        status, said = shell("verify")
        assert (status, said.splitlines()[0]) == (0, "votes: all as it was told.")
        # A bot that announces what its events do not make, in a chain that is whole.
        monkeypatch.setattr(due, "recount", lambda motion: replace(recount(motion), end=End.FAILED))
        await vote(chat, alice="3 yes", bob="3 yes", ann="3 yes", abe="3 yes")
        monkeypatch.undo()
        status, said = shell("verify")
        told = "votes: BROKEN: motion 3 was announced as failed, its events make it passed."
        assert (status, said.splitlines()[0]) == (1, told)
        coup: dict[str, str | int | None] = {
            "motion": 4,
            "at": "2026-11-22T12:00:00Z",
            "kind": "coup",
            "actor": "eve",
            "body": "{}",
        }
        await chat.store.write(lambda tx: tx.append("votes_events", coup))
        status, said = shell("verify")
    assert status == 1
    assert "votes: BROKEN: the events cannot be read: row " in said.splitlines()[0]
