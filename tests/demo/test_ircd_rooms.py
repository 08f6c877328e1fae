import pytest

from tests.demo.conftest import World


async def test_the_first_in_a_room_is_its_operator(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    assert await ann.ask("JOIN #Ford") == [
        ":ann!ann@127.0.0.1 JOIN #Ford",
        ":shipboard.demo 353 ann = #Ford @ann",
        ":shipboard.demo 366 ann #Ford :End of NAMES list",
    ]
    assert (await bob.ask("JOIN #ford"))[:2] == [
        ":bob!bob@127.0.0.1 JOIN #Ford",
        ":shipboard.demo 353 bob = #Ford :@ann bob",
    ]
    assert await ann.ask() == [":bob!bob@127.0.0.1 JOIN #Ford"]
    assert await ann.ask("JOIN #FORD") == []


async def test_extended_join_tells_the_account(world: World) -> None:
    watcher = await world.guest("ann", caps="extended-join")
    old = await world.guest("old")
    await watcher.ask("JOIN #ford")
    await old.ask("JOIN #ford")
    await (await world.member("alice")).ask("JOIN #ford")
    assert await watcher.ask() == [
        ":old!old@127.0.0.1 JOIN #ford * :old himself",
        ":alice!x@127.0.0.1 JOIN #ford alice :A member",
    ]
    assert await old.ask() == [":alice!x@127.0.0.1 JOIN #ford"]


async def test_names_as_each_asked_for_them(world: World) -> None:
    ann = await world.guest("ann", caps="multi-prefix userhost-in-names")
    bob = await world.guest("bob")
    await ann.ask("JOIN #ford")
    await bob.ask("JOIN #ford")
    await ann.ask("MODE #ford +v ann")
    assert (await ann.ask("NAMES #ford"))[0] == (
        ":shipboard.demo 353 ann = #ford :@+ann!ann@127.0.0.1 bob!bob@127.0.0.1"
    )
    await bob.ask()
    assert (await bob.ask("NAMES #ford,#x"))[0] == ":shipboard.demo 353 bob = #ford :@ann bob"
    assert await bob.ask("NAMES") == [":shipboard.demo 366 bob * :End of NAMES list"]


async def test_many_names_fill_several_lines(world: World) -> None:
    people = [await world.guest("n" * 27 + f"{number:03}") for number in range(14)]
    for person in people:
        person.send("JOIN #ford")
        await person.ask()
    lines = [line for line in await people[0].ask("NAMES #ford") if " 353 " in line]
    assert sum(len(line.partition(" :")[2].split()) for line in lines) == 14
    assert len(lines) == 3


async def test_parting_and_the_end_of_a_room(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await ann.ask("JOIN #a,#b")
    await bob.ask("JOIN #a")
    await ann.ask()
    assert await bob.ask("PART #A :so long") == [":bob!bob@127.0.0.1 PART #a :so long"]
    assert await ann.ask() == [":bob!bob@127.0.0.1 PART #a :so long"]
    assert " 442 bob #a " in (await bob.ask("PART #a"))[0]
    assert " 403 bob #nowhere " in (await bob.ask("PART #nowhere"))[0]
    assert len(await ann.ask("JOIN 0")) == 2
    assert await ann.ask("LIST") == [":shipboard.demo 323 ann :End of LIST"]
    assert await ann.ask("JOIN 0") == []


@pytest.mark.parametrize("name", ["ford", "#", "&ford", "", ":#a b", "#\x07", ":"])
async def test_impossible_rooms_are_refused(world: World, name: str) -> None:
    ann = await world.guest("ann")
    (answer,) = await ann.ask(f"JOIN {name}")
    assert answer.split()[1] in {"403", "461"}


async def test_rooms_a_person_are_limited(world: World) -> None:
    ann = await world.guest("ann")
    lines = await ann.ask("JOIN " + ",".join(f"#{number}" for number in range(21)))
    assert " 405 ann #20 " in lines[-1]


async def test_topics(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await ann.ask("JOIN #ford")
    assert " 331 " in (await ann.ask("TOPIC #ford"))[0]
    assert await ann.ask("TOPIC #ford :Ford is up") == [":ann!ann@127.0.0.1 TOPIC #ford :Ford is up"]
    assert " 442 " in (await bob.ask("TOPIC #ford :x"))[0]
    lines = await bob.ask("JOIN #ford")
    assert lines[1:3] == [
        ":shipboard.demo 332 bob #ford :Ford is up",
        ":shipboard.demo 333 bob #ford ann!ann@127.0.0.1 1795197600",
    ]
    assert " 482 " in (await bob.ask("TOPIC #ford :x"))[0]
    assert " 403 " in (await bob.ask("TOPIC #nowhere"))[0]
    await ann.ask("MODE #ford -t")
    await bob.ask("TOPIC #ford :bob's now")
    assert "bob's now" in (await ann.ask("TOPIC #ford"))[0]
    await bob.ask("JOIN #other")
    assert (await ann.ask("LIST #FORD,#x"))[0] == ":shipboard.demo 322 ann #ford 2 :bob's now"


async def test_modes_are_told_and_changed_by_operators(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await ann.ask("JOIN #ford")
    await bob.ask("JOIN #ford")
    await ann.ask()
    assert [line.split()[1:] for line in await bob.ask("MODE #ford")] == [
        ["324", "bob", "#ford", "+nt"],
        ["329", "bob", "#ford", "1795197600"],
    ]
    assert " 368 " in (await bob.ask("MODE #ford +b"))[0]
    assert " 482 " in (await bob.ask("MODE #ford +o bob"))[0]
    assert " 403 " in (await bob.ask("MODE #nowhere"))[0]
    assert await bob.ask("MODE BOB +i") == [":shipboard.demo 221 bob +"]
    assert await ann.ask("MODE #ford +o-t+v BOB ann") == [":ann!ann@127.0.0.1 MODE #ford +o-t+v bob ann"]
    assert " 441 ann nobody #ford " in (await ann.ask("MODE #ford +o nobody"))[0]
    assert " 472 ann x " in (await ann.ask("MODE #ford +x"))[0]
    assert await ann.ask("MODE #ford +o") == []
    assert len(await ann.ask("MODE #ford +" + "x" * 400)) == 11
    await bob.ask("MODE #ford -o ann")
    assert " 482 " in (await ann.ask("MODE #ford +m"))[-1]


async def test_a_moderated_room_hears_only_voices(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await ann.ask("JOIN #ford")
    await bob.ask("JOIN #ford")
    await ann.ask("MODE #ford +m-n")
    assert " 404 bob #ford " in (await bob.ask("PRIVMSG #ford :hi"))[-1]
    await ann.ask("MODE #ford +v bob")
    bob.send("PRIVMSG #ford :hi")
    await ann.expect("PRIVMSG #ford hi")


async def test_kicks(world: World) -> None:
    ann, bob = await world.guest("ann"), await world.guest("bob")
    await ann.ask("JOIN #ford")
    await bob.ask("JOIN #ford")
    await ann.ask()
    assert " 482 " in (await bob.ask("KICK #ford ann"))[0]
    assert " 441 " in (await ann.ask("KICK #ford nobody"))[0]
    assert await ann.ask("KICK #ford BOB") == [":ann!ann@127.0.0.1 KICK #ford bob ann"]
    assert await bob.ask() == [":ann!ann@127.0.0.1 KICK #ford bob ann"]
    assert " 442 " in (await bob.ask("KICK #ford ann"))[0]
    assert " 403 " in (await bob.ask("KICK #x ann"))[0]
    await bob.ask("JOIN #ford")
    assert (await ann.ask("KICK #ford bob :go away"))[-1].endswith(" KICK #ford bob :go away")
