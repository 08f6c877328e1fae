"""Coming in, and coming back: capabilities, login, nicks, rooms, silence, the end."""

import asyncio
import base64

import pytest

from bot.errors import TransportFault
from bot.model import Place
from tests.transports.conftest import FULL, Irc, Peer


async def refused(task: asyncio.Task[None]) -> str:
    with pytest.raises(TransportFault) as fault:
        await asyncio.wait_for(task, 60)
    return str(fault.value)


async def test_capabilities_are_asked_for_before_the_nick(irc: Irc) -> None:
    irc.serve(irc.make())
    peer = await irc.server.accept()
    assert [await peer.line() for _ in range(3)] == ["CAP LS 302", "NICK Eddie", "USER eddie 0 * :shipboard"]
    peer.send(":irc.test CAP * LS * :away-notify multi-prefix", ":irc.test CAP * LS :server-time sasl=PLAIN")
    assert await peer.line() == "CAP REQ :server-time multi-prefix"
    peer.send(":irc.test CAP * NAK :server-time multi-prefix")
    assert [await peer.line(), await peer.line()] == ["CAP REQ :server-time", "CAP REQ :multi-prefix"]
    peer.send(":irc.test CAP * ACK :server-time", ":irc.test CAP * NAK :multi-prefix")
    assert await peer.line() == "CAP END"


async def test_up_is_called_at_the_welcome_and_the_rooms_are_joined(irc: Irc) -> None:
    transport = irc.make(rooms=("#ford", "#Admins"))
    assert not transport.status().up
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.negotiate("")
    await peer.expect("CAP END")
    assert irc.ups == []
    await peer.welcome()
    await peer.expect("JOIN #ford,#Admins")
    peer.join("#ford")
    await peer.pending()
    assert irc.ups == [1000.0]
    assert transport.status().rooms == ("#ford",)
    assert transport.network == "oftc"


async def test_a_server_without_end_of_motd_still_sees_us_join(irc: Irc) -> None:
    irc.serve(irc.make())
    peer = await irc.server.accept()
    peer.send(":irc.test 001 Eddie :Hi")
    await peer.pending()
    await irc.clock.advance(4)
    await peer.expect("JOIN #ford")


async def test_sasl_plain_before_the_end_of_negotiation(irc: Irc) -> None:
    transport = irc.make(account="eddie", mechanisms=("PLAIN",))
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.negotiate("sasl=PLAIN,EXTERNAL server-time")
    await peer.expect("AUTHENTICATE PLAIN")
    peer.send("AUTHENTICATE +")
    secret = base64.b64encode("eddie\0eddie\0pässword".encode()).decode()
    await peer.expect(f"AUTHENTICATE {secret}")
    assert "CAP END" not in peer.seen
    peer.send(":irc.test 900 Eddie Eddie!e@h eddie :You are now logged in", ":irc.test 903 Eddie :ok")
    await peer.expect("CAP END")
    await peer.welcome()
    await peer.expect("JOIN #ford")
    assert (transport.status().account, transport.status().detail) == ("eddie", "")
    peer.send(":irc.test 901 Eddie Eddie!e@h :You are now logged out")
    await peer.pending()
    assert transport.status().account is None


@pytest.mark.parametrize(
    ("offer", "answers", "detail"),
    [
        ("sasl=PLAIN", (":irc.test 904 Eddie :SASL authentication failed",), "the login was refused: SASL"),
        ("sasl=EXTERNAL", (), "offers none of our login mechanisms"),
        ("sasl", (":irc.test 908 Eddie EXTERNAL :are available", ":irc.test 904 Eddie :no"), "refused: no"),
        ("server-time", (), "offers no login now"),
    ],
)
async def test_a_login_that_fails_is_told_and_we_go_on(
    irc: Irc, offer: str, answers: tuple[str, ...], detail: str
) -> None:
    transport = irc.make(account="eddie", mechanisms=("PLAIN",))
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.negotiate(offer)
    if answers:
        await peer.expect("AUTHENTICATE PLAIN")
        peer.send(*answers)
    await peer.expect("CAP END")
    await peer.welcome()
    await peer.expect("JOIN #ford")
    assert detail in transport.status().detail
    assert transport.status().up


async def test_services_that_do_not_answer_hold_nobody_up(irc: Irc) -> None:
    transport = irc.make(account="eddie")
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.negotiate("sasl")
    await peer.expect("AUTHENTICATE SCRAM-SHA-256")
    await irc.clock.advance(17)
    await peer.expect(r"AUTHENTICATE \*")
    await peer.expect("CAP END")
    await peer.welcome()
    await peer.expect("JOIN #ford")
    assert "the services did not answer" in transport.status().detail
    await irc.clock.advance(55)
    await peer.expect("AUTHENTICATE SCRAM-SHA-256")


async def test_success_without_its_details_is_success(irc: Irc) -> None:
    transport = irc.make(account="eddie", mechanisms=("PLAIN",))
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.negotiate("sasl")
    await peer.expect("AUTHENTICATE PLAIN")
    peer.send("AUTHENTICATE +", ":irc.test 903 Eddie :ok")
    await peer.expect("CAP END")
    await peer.welcome()
    await peer.expect("JOIN #ford")
    await irc.clock.advance(70)
    assert not [line for line in await peer.pending() if line.startswith(("CAP", "AUTH"))]
    assert transport.status().account == "eddie"


async def test_services_that_come_late_see_us_log_in(irc: Irc) -> None:
    transport = irc.make(account="eddie", mechanisms=("PLAIN",))
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.admit("server-time cap-notify")
    peer.send(":irc.test 477 Eddie #ford :Cannot join (+r)")
    assert await peer.pending() == []
    peer.send(":irc.test CAP Eddie NEW :sasl=PLAIN")
    await peer.expect("CAP REQ :sasl")
    peer.send(":irc.test CAP Eddie ACK :sasl")
    await peer.expect("AUTHENTICATE PLAIN")
    peer.send("AUTHENTICATE +")
    await peer.expect("AUTHENTICATE .*")
    peer.send(
        ":irc.test 900 Eddie Eddie!e@h eddie :in", ":irc.test 903 Eddie :ok", ":irc.test CAP Eddie DEL :sasl"
    )
    assert await peer.pending() == []
    assert (transport.status().account, transport.status().detail) == ("eddie", "")


async def test_a_server_that_does_not_tell_is_asked_again_for_its_services(irc: Irc) -> None:
    transport, peer = await irc.admitted("multi-prefix", account="eddie")
    assert "no login" in transport.status().detail
    await irc.clock.advance(65)
    await peer.expect("CAP LS 302")


async def test_a_network_without_account_does_not_log_in(irc: Irc) -> None:
    transport, peer = await irc.admitted("sasl=PLAIN server-time")
    assert "CAP REQ :server-time" in peer.seen
    assert (transport.status().account, transport.status().detail) == (None, "")


async def test_a_taken_nick_is_replaced_and_regained_when_its_holder_goes(irc: Irc) -> None:
    transport = irc.make()
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.negotiate("")
    peer.send(":irc.test 433 * Eddie :in use")
    await peer.expect("NICK Eddie_")
    peer.send(":irc.test 432 * Eddie_ :erroneous")
    await peer.expect("NICK Eddie__")
    await peer.welcome("Eddie__")
    await peer.expect("JOIN #ford")
    peer.join("#ford", "Eddie__")
    peer.say("alice!a@h", "#ford", "Eddie__: ping x")
    await irc_answers_under(peer, irc)
    assert "the nick Eddie is taken" in transport.status().detail
    peer.send(":bob!b@h QUIT :bye", ":eddie!g@h QUIT :Ping timeout")
    await peer.expect("NICK Eddie")
    peer.send(":Eddie__!eddie@bot.host NICK Eddie")
    await peer.pending()
    assert (transport.status().nick, transport.status().detail) == ("Eddie", "")


async def irc_answers_under(peer: Peer, irc: Irc) -> None:
    await peer.expect("WHOIS alice")
    peer.send(":irc.test 311 Eddie__ alice a h * :A", ":irc.test 318 Eddie__ alice :End")
    await peer.expect("PRIVMSG #ford :pong x")
    assert irc.road.heard[-1].named


async def test_our_nick_is_looked_for_each_minute_without_flapping(irc: Irc) -> None:
    transport = irc.make()
    irc.serve(transport)
    peer = await irc.server.accept()
    await peer.negotiate("")
    await peer.expect("CAP END")
    peer.send(":irc.test 433 * Eddie :in use")
    await peer.expect("NICK Eddie_")
    await peer.welcome("Eddie_")
    await irc.clock.advance(40)
    assert not [line for line in await peer.pending() if line.startswith("ISON")]
    await irc.clock.advance(25)
    await peer.expect("ISON Eddie")
    peer.send(":irc.test 303 Eddie_ :Eddie")
    assert await peer.pending() == []
    peer.send(":irc.test 303 Eddie_ :")
    await peer.expect("NICK Eddie")
    peer.send(":irc.test 433 Eddie_ Eddie :in use")
    assert await peer.pending() == []
    peer.send(":Eddie_!e@h NICK Eddie", ":Eddie!e@h NICK Guest7", ":eddie!x@y NICK nobody")
    assert [line for line in await peer.pending() if line.startswith("NICK")] == []
    assert transport.status().nick == "Guest7"
    await irc.clock.advance(62)
    peer.send(":x!y@z NICK")
    await peer.expect("ISON Eddie")


async def test_a_server_that_takes_no_nick_is_given_up(irc: Irc) -> None:
    task = irc.serve(irc.make())
    peer = await irc.server.accept()
    for _ in range(21):
        await peer.expect("NICK .*")
        peer.send(":irc.test 433 * x :in use")
        if peer.seen.count("NICK Eddie19"):
            break
    await irc.clock.advance(2)
    assert "no nick like Eddie" in await refused(task)


async def test_kicked_and_refused_we_ask_again_ever_later(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    peer.send(":op!o@h KICK #ford Eddie :out\x02 you go")
    assert await peer.pending() == []
    assert transport.status().rooms == ()
    assert transport.status().detail == "#ford: kicked by op: out you go"
    await irc.clock.advance(6)
    await peer.expect("JOIN #ford")
    peer.send(":irc.test 474 Eddie #ford :Cannot join (+b)")
    await peer.pending()
    await irc.clock.advance(8)
    assert await peer.pending() == []
    await irc.clock.advance(4)
    await peer.expect("JOIN #ford")
    peer.send(":irc.test 474 Eddie #ford :Cannot join (+b)", ":op!o@h INVITE Eddie #ford")
    await peer.pending()
    await irc.clock.advance(1)
    await peer.expect("JOIN #ford")
    peer.join("#ford")
    peer.send(":irc.test 477 Eddie #ford :You may not speak")
    await peer.pending()
    assert transport.status().rooms == ("#ford",)
    peer.send(":irc.test 442 Eddie #ford :You're not on that channel")
    await peer.pending()
    assert transport.status().rooms == ()


async def test_silence_is_noticed_and_ended(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    await irc.clock.advance(58)
    assert await peer.pending() == []
    await irc.clock.advance(61)
    await peer.expect("PING shipboard-.*")
    assert transport.status().up
    await irc.clock.advance(62)
    assert await refused(irc.tasks[0]) == "the server was silent for 120 s"
    assert transport.status().detail == "the server was silent for 120 s"
    assert not transport.status().up


async def test_a_server_that_does_not_let_us_in_is_left(irc: Irc) -> None:
    task = irc.serve(irc.make())
    await irc.server.accept()
    await irc.clock.advance(62)
    assert await refused(task) == "the server did not let us in within 60 s"


async def test_the_servers_last_words_are_kept(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    peer.send("ERROR :Closing link: (K-lined: \x02spam)")
    await peer.writer.drain()
    peer.writer.close()
    assert await refused(irc.tasks[0]) == "Closing link: (K-lined: spam)"
    assert transport.status().detail.startswith("Closing link")
    assert not await transport.say(Place("oftc", "#ford"), ["x"])


async def test_after_a_reset_it_serves_again(irc: Irc) -> None:
    transport, peer = await irc.admitted()
    peer.close()
    assert await refused(irc.tasks[0])
    irc.serve(transport)
    again = await irc.server.accept()
    await again.admit(FULL)
    again.say("alice!a@h", "#ford", "!ping 2", tags="account=alice")
    await again.expect("PRIVMSG #ford :pong 2")
    assert len(irc.ups) == 2


async def test_nobody_there_is_a_fault(irc: Irc) -> None:
    await irc.server.stop()
    assert "127.0.0.1 cannot be reached" in await refused(irc.serve(irc.make()))


async def test_a_connection_that_does_not_come_about_is_given_up(irc: Irc) -> None:
    task = irc.serve(irc.make(tls=True))
    await irc.server.accept()
    await irc.clock.advance(31)
    assert await refused(task) == "127.0.0.1 did not answer within 30 s"


async def test_cancelled_it_leaves_politely(irc: Irc) -> None:
    _, peer = await irc.admitted()
    irc.tasks[0].cancel()
    await peer.expect("QUIT :So long.*")
    peer.close()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(irc.tasks[0], 60)


async def test_a_server_that_ignores_our_leaving_is_left_anyway(irc: Irc) -> None:
    _, peer = await irc.admitted()
    irc.tasks[0].cancel()
    await peer.expect("QUIT .*")
    await irc.clock.advance(2)
    await peer.ended()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(irc.tasks[0], 60)


async def test_what_no_one_expects_is_followed(irc: Irc) -> None:
    transport, peer = await irc.admitted(rooms=("#ford",))
    peer.send(
        ":irc.test 396 Eddie cloak.host :is now your displayed host",
        ":irc.test 005 Eddie WHOX :are supported",
        ":Eddie!eddie@bot.host CHGHOST ed new.host",
        ":bob!b@h CHGHOST x y",
        ":bob!b@h INVITE alice #ford",
        ":Eddie!ed@new.host PART #ford",
        ":Eddie!ed@new.host JOIN",
    )
    await peer.pending()
    await irc.clock.advance(7)
    await peer.expect("JOIN #ford")
    peer.join("#ford")
    await peer.pending()
    await irc.clock.advance(1)
    await peer.expect("WHO #ford %tna,152")
    assert transport.status().up
