"""What the transport makes of what rooms say, stanza by stanza."""

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

import pytest

from bot.transports.xmpp.asked import PATIENCE, Asked
from bot.transports.xmpp.muc import SELF_PING, Muc
from bot.transports.xmpp.occupants import MOST, Occupants
from bot.transports.xmpp.people import MOST as MOST_PEOPLE
from bot.transports.xmpp.people import People
from bot.transports.xmpp.stanzas import IQ, Item, Presence

ROOM = "ford@rooms.test"
ME = "eddie@ford.test"


@dataclass
class World:
    """The rooms of a session, all that they send, and a clock that is moved by hand."""

    now: float = 1000.0
    sent: list[Element] = field(default_factory=list)
    asked: Asked = field(init=False)
    muc: Muc = field(init=False)

    def __post_init__(self) -> None:
        self.asked = Asked("x", self.sent.append, lambda: self.now)
        self.muc = Muc((ROOM,), "Eddie", ME, self.sent.append, self.asked)

    def take(self) -> list[str]:
        """Return to whom something was sent since the last time."""
        to = [stanza.get("to", "") for stanza in self.sent]
        self.sent.clear()
        return to

    def see(self, who: str, kind: str = "available", *codes: str, error: str = "", **item: str) -> None:
        told = Presence(ROOM, who, kind, frozenset(codes), Item(**item), error=error)
        self.muc.presence(told, self.now)

    def tick(self, seconds: float = 1.0) -> list[str]:
        self.now += seconds
        self.asked.tick(self.now)
        self.muc.tick(self.now)
        return self.take()

    def join(self, role: str = "moderator", *codes: str) -> None:
        self.tick()
        self.see("Eddie", "available", "110", *codes, role=role)
        self.take()

    def answer(self, error: str = "", to: str | None = None) -> bool:
        """Answer the question that was sent last."""
        question = self.sent[-1]
        sender: str = to or question.get("to") or ""
        answer = Element(IQ, {"id": question.get("id", ""), "from": sender})
        answer.set("type", "error" if error else "result")
        if error:
            child = Element("{jabber:client}error")
            child.append(Element(f"{{urn:ietf:params:xml:ns:xmpp-stanzas}}{error}"))
            answer.append(child)
        return self.asked.answer(answer)


@pytest.fixture
def world() -> World:
    return World()


def test_it_asks_to_be_let_in_until_it_is(world: World) -> None:
    assert world.tick() == [f"{ROOM}/Eddie"]
    assert world.tick(10) == []
    assert world.tick(30) == [f"{ROOM}/Eddie"]
    world.see("alice", jid="alice@ford.test/x")
    assert not world.muc.inside(ROOM)
    world.see("Eddie", "available", "110", role="moderator")
    assert world.muc.inside(ROOM)
    assert world.muc.problems() == ()
    assert world.muc.real(ROOM, "alice") == "alice@ford.test/x"
    assert world.muc.addresses_of("alice@ford.test") == ("alice@ford.test/x",)
    assert not world.muc.inside("other@rooms.test")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("forbidden", "we are banned"),
        ("registration-required", f"let one of its admins make {ME} a member"),
        ("not-authorized", "it wants a password"),
        ("item-not-found", "it is locked"),
        ("something-odd", "something-odd"),
    ],
)
def test_a_refusal_says_why_and_is_tried_again_later(world: World, error: str, why: str) -> None:
    world.tick()
    world.see("Eddie", "error", error=error)
    assert why in world.muc.problems()[0]
    assert world.tick(1) == []
    assert world.tick(5) == [f"{ROOM}/Eddie"]
    world.see("Eddie", "error", error=error)
    assert world.tick(6) == []
    assert world.tick(6) == [f"{ROOM}/Eddie"]


def test_a_taken_nick_is_another_at_once_and_in_the_end_a_reason(world: World) -> None:
    world.tick()
    for nick in ("Eddie_", "Eddie__", "Eddie2"):
        world.see("Eddie", "error", error="conflict")
        assert world.take() == [f"{ROOM}/{nick}"]
    for _ in range(18):
        world.see("Eddie", "error", error="conflict")
    assert "every nick that I tried is taken" in world.muc.problems()[0]
    assert world.tick(6)[-1] == f"{ROOM}/Eddie"


def test_the_own_nick_is_asked_for_once_it_is_free_and_not_fought_over(world: World) -> None:
    world.tick()
    world.see("Eddie", "error", error="conflict")
    world.see("Eddie", jid="bob@ford.test/x")
    world.see("Eddie_", "available", "110", role="moderator")
    world.take()
    assert world.muc.problems() == (f"the nick Eddie is taken in {ROOM}",)
    assert world.tick() == []
    world.see("Eddie", "unavailable", "303", nick="bob")
    assert world.tick() == [f"{ROOM}/Eddie"]
    world.see("Eddie", "error", error="conflict")
    assert world.muc.inside(ROOM)
    assert world.tick(30) == []
    assert f"{ROOM}/Eddie" in world.tick(31)
    world.see("Eddie_", "unavailable", "110", "303", nick="Eddie")
    assert world.muc.nick_in(ROOM) == "Eddie"
    world.see("Eddie", "available", "110", role="moderator")
    world.see("Eddie", "available", "110", "210", role="moderator")
    assert world.muc.is_me(ROOM, "Eddie")


def test_a_nick_that_the_room_gave_us_is_ours(world: World) -> None:
    world.tick()
    world.see("Guest", "available", "110", "210", role="moderator")
    assert world.muc.is_me(ROOM, "Guest")


@pytest.mark.parametrize(
    ("codes", "why"),
    [(("110", "307"), "we were kicked: out!"), (("301",), "we were banned: out!"), ((), "we are out: out!")],
)
def test_thrown_out_it_says_why_forgets_all_and_comes_back(
    world: World, codes: tuple[str, ...], why: str
) -> None:
    world.join()
    world.see("alice", jid="alice@ford.test/x")
    world.see("Eddie", "unavailable", *codes, reason="out!")
    assert not world.muc.inside(ROOM)
    assert world.muc.real(ROOM, "alice") == ""
    assert world.muc.problems() == (f"{ROOM}: {why}",)
    assert world.tick(6) == [f"{ROOM}/Eddie"]


def test_a_destroyed_room_is_called_so(world: World) -> None:
    world.join()
    world.muc.presence(Presence(ROOM, "Eddie", "unavailable", destroyed=True), world.now)
    assert world.muc.problems() == (f"{ROOM}: the room was destroyed",)


def test_a_real_address_goes_with_its_nick(world: World) -> None:
    world.join()
    world.see("alice", jid="alice@ford.test/x")
    world.see("alice", "unavailable", "303", nick="al")
    assert world.muc.real(ROOM, "alice") == ""
    world.see("alice")
    assert world.muc.real(ROOM, "alice") == ""
    assert world.muc.has(ROOM, "alice")
    assert world.muc.addresses_of("") == ()


def test_a_room_that_hides_people_says_how_to_mend_that(world: World) -> None:
    world.join("participant")
    assert f"make {ME}" in world.muc.problems()[0]
    world.muc.configured(ROOM, frozenset({"172"}))
    assert world.muc.problems() == ()
    world.muc.configured(ROOM, frozenset({"173"}))
    assert world.muc.problems() != ()
    world.muc.configured(ROOM, frozenset({"104"}))
    world.see("Eddie", "available", "110", role="moderator")
    assert world.take() == [f"{ROOM}/Eddie"]  # asks anew, for who was there before
    assert world.muc.problems() == ()
    world.see("Eddie", "available", "110", role="moderator")
    assert world.take() == []


def test_a_room_that_we_made_is_opened(world: World) -> None:
    world.tick()
    world.see("Eddie", "available", "110", "201", role="moderator")
    assert world.take() == [ROOM]


@pytest.mark.parametrize(
    ("error", "inside"),
    [
        ("", True),
        ("service-unavailable", True),
        ("item-not-found", True),
        ("remote-server-timeout", True),
        ("not-acceptable", False),
        ("not-allowed", False),
    ],
)
def test_a_silent_room_is_asked_whether_we_are_there(world: World, error: str, *, inside: bool) -> None:
    world.join()
    assert world.tick(SELF_PING - 2) == []
    world.now += 3
    world.muc.tick(world.now)
    assert [stanza.get("to") for stanza in world.sent] == [f"{ROOM}/Eddie"]
    assert not world.answer(error, to="mallory@rooms.test/x")
    assert world.answer(error)
    assert world.muc.inside(ROOM) is inside
    assert not world.answer(error)


def test_a_question_without_answer_is_given_up(world: World) -> None:
    world.join()
    world.muc.doubt(world.now)
    world.muc.doubt(world.now)
    assert world.take() == [f"{ROOM}/Eddie"]
    world.tick(PATIENCE)
    assert world.muc.inside(ROOM)
    world.muc.doubt(world.now)
    assert world.take() == [f"{ROOM}/Eddie"]
    world.asked.close()
    assert not world.asked.answer(Element(IQ, {"id": "x-q1", "type": "result"}))


def test_who_was_forgotten_by_the_room_itself_comes_back(world: World) -> None:
    world.join()
    world.see("Eddie", "error", error="service-unavailable")
    assert world.muc.inside(ROOM)
    world.see("Eddie", "error", error="not-acceptable")
    assert not world.muc.inside(ROOM)
    world.see("Eddie", "probe")


def test_no_room_makes_us_remember_more_than_fits() -> None:
    occupants = Occupants()
    for number in range(MOST + 10):
        occupants.came(Presence("r", str(number), "available"))
    assert len(occupants.jids) == MOST
    occupants.came(Presence("r", "0", "available", item=Item(jid="a@b/c")))
    assert occupants.real("0") == "a@b/c"


def gone(people: People) -> Callable[[str], bool]:
    return lambda bare: not people.is_there(bare)


def test_people_are_there_while_they_show_it_or_once_they_spoke() -> None:
    people = People()
    people.came("a@b", "1")
    people.came("a@b", "2")
    people.went("a@b", "1")
    assert people.is_there("a@b")
    people.went("a@b", "2")
    assert not people.is_there("a@b")
    people.spoke("c@d", "c@d/1")
    assert people.is_there("c@d")
    people.went("c@d", "2")
    assert people.is_there("c@d")
    people.went("c@d", "1")
    assert gone(people)("c@d")
    people.came("a@b", "1")
    people.came("a@b", "2")
    people.went("a@b", "")
    assert gone(people)("a@b")


def test_nobody_makes_us_remember_more_people_than_fit() -> None:
    people = People()
    for number in range(MOST_PEOPLE + 5):
        people.came("a@b", str(number))
        people.spoke(f"{number}@b", f"{number}@b/x")
    assert not people.is_there("0@b")
    people.went("a@b", "")
    assert not people.is_there("a@b")
