"""A motion's way to its ballot, and what comes after its end: the commands that move it."""

from collections.abc import Callable

from bot import Actor, Call, Member, NotAllowed, Registrar, Role, Share, admins, counted, members
from bot.words import read_changes
from plugins.votes import ballots, deeds, ledger, rules, texts
from plugins.votes.declared import plugin
from plugins.votes.desk import APPEAL, Desk, Sitting
from plugins.votes.draft import draft
from plugins.votes.electorate import Person
from plugins.votes.motion import Motion, Stage
from plugins.votes.rules import Deeds, Scene
from plugins.votes.words import Early, Ended, Kind, Known, Open, Seconding

Rule = Callable[[Motion, Person, Scene], Deeds]


def member_of(actor: Actor) -> Member:
    """Return the member who speaks."""
    if actor.member is None:
        raise NotAllowed("Only members take part in votes.")
    return actor.member


async def moved(desk: Desk, call: Call, number: int, rule: Rule) -> Motion:
    """Let a member do something with a motion, and return it as it is then."""
    member = member_of(call.actor)

    def work(sitting: Sitting) -> Motion:
        motion = sitting.motion(number)
        made = rule(motion, sitting.person(member), sitting.scene(motion))
        return sitting.move(motion, member.name, made)

    return await desk.sit(work)


@plugin.command("propose", allow=members, limit="10/10m")
async def propose(call: Call, kind: Kind, *, title: str) -> str:
    """Propose a motion: its type, a title, a bar, the text."""
    member = member_of(call.actor)

    def work(sitting: Sitting) -> Motion:
        names = frozenset(sitting.members)
        wanted = draft(kind.name, title, sitting.book, names)
        return _put(sitting, member, wanted)

    motion = await kind.desk.sit(work)
    return f"Motion {motion.number} {texts.title(motion)} ({motion.kind}): {_next(motion)}"


def _put(sitting: Sitting, member: Member, wanted: deeds.Proposed) -> Motion:
    """Make a motion of a draft, unless no vote may decide so."""
    new = Motion(number=ledger.next_number(sitting.tx.db))
    others = ledger.motions(sitting.tx.db)
    made = rules.propose(wanted, sitting.person(member), sitting.scene(new), others)
    _may_be_voted(sitting.desk, wanted.kind, f"{wanted.title}\n{wanted.text}")
    return sitting.move(new, member.name, made)


def _may_be_voted(desk: Desk, kind: str, text: str) -> None:
    """Raise Conflict for numbers that no vote may set so."""
    if kind == "policy-change" and (changes := read_changes(text)):
        desk.policies.amended(changes)


def _next(motion: Motion) -> str:
    number = motion.number
    match motion.stage:
        case Stage.DRAFT:
            return f"it needs its grounds: !amend {number} TEXT"
        case Stage.SECONDING:
            left = motion.seconds_needed - len(motion.seconders)
            return f"it needs {counted(left, 'second')} by others: !second {number}"
        case Stage.DISCUSSION if motion.discussed_until:
            return f"it is discussed until {texts.at(motion.discussed_until)}."
        case Stage.OPEN:
            return f"it is open until {texts.at(motion.open_until)}."
    return f"it is {motion.stage}."


@plugin.command("second", allow=members)
async def second(call: Call, motion: Seconding) -> str:
    """Second somebody else's motion."""
    found = await moved(motion.desk, call, motion.alone(), rules.second)
    return f"You second motion {found.number} {texts.title(found)}: {_next(found)}"


@plugin.command("vote unsecond", allow=members)
async def unsecond(call: Call, motion: Early) -> str:
    """Take your second back, as when the text has changed."""
    found = await moved(motion.desk, call, motion.alone(), rules.unsecond)
    return f"You second motion {found.number} no more: {_next(found)}"


@plugin.command("amend", allow=members, limit="20/10m")
async def amend(call: Call, motion: Early, *, text: str = "") -> str:
    """Change your motion's text, or offer another text for somebody else's."""
    words = motion.rest(text)

    def rule(found: Motion, who: Person, scene: Scene) -> Deeds:
        _may_be_voted(motion.desk, found.kind, words)
        return rules.amend(found, who, words, scene)

    found = await moved(motion.desk, call, motion.number, rule)
    if found.pending and found.pending[-1].by == member_of(call.actor).name:
        amendment = found.pending[-1]
        return (
            f"Motion {found.number}: {amendment.option} is on the ballot unless {found.proposer} accepts it."
        )
    return f"Motion {found.number} has its new text: {_next(found)}"


@plugin.command("vote accept", allow=members)
async def accept(call: Call, motion: Early, amendment: int = 1) -> str:
    """Take an amendment as the text of your motion."""

    def rule(found: Motion, who: Person, scene: Scene) -> Deeds:
        return rules.accept(found, who, amendment, scene)

    found = await moved(motion.desk, call, motion.alone(), rule)
    return f"Motion {found.number} has the text of amendment-{amendment} now."


@plugin.command("vote drop", allow=members)
async def drop(call: Call, motion: Early, amendment: int = 1) -> str:
    """Take your own amendment back."""
    found = await moved(motion.desk, call, motion.alone(), lambda m, who, _: rules.drop(m, who, amendment))
    return f"Motion {found.number}: amendment-{amendment} is taken back."


@plugin.command("withdraw", allow=members)
async def withdraw(call: Call, motion: Early) -> str:
    """Withdraw your own motion before its ballot opens."""
    found = await moved(motion.desk, call, motion.alone(), lambda m, who, _: rules.withdraw(m, who))
    return f"Motion {found.number} {texts.title(found)} is withdrawn."


@plugin.command("answer", allow=members, limit="20/10m")
async def answer(call: Call, motion: Early, *, text: str = "") -> str:
    """Answer a motion that is about you; your last answer stands on the ballot."""
    words = motion.rest(text)
    found = await moved(motion.desk, call, motion.number, lambda m, who, _: rules.answer(m, who, words))
    return f"Motion {found.number}: your answer stands on the ballot."


@plugin.command("object", allow=members)
async def object_(call: Call, motion: Open, *, reason: str = "") -> str:
    """Object to what silence would pass, with a reason; it becomes an ordinary motion."""
    words = motion.rest(reason)

    def rule(found: Motion, who: Person, scene: Scene) -> Deeds:
        return ballots.object_(found, who, words, scene)

    found = await moved(motion.desk, call, motion.number, rule)
    return f"Motion {found.number} is an ordinary one of type {found.kind} now: {_next(found)}"


async def may_annul(call: Call, motion: Open, *, reason: str = "") -> None:
    """Refuse for a motion that is not open, and without a reason."""
    words = motion.rest(reason)
    await motion.desk.consider(
        motion.number, member_of(call.actor), lambda m, who: rules.annul(m, who, words)
    )


@plugin.command("vote annul", allow=admins, confirm="Annul motion {motion}?", check=may_annul)
async def annul(call: Call, motion: Open, *, reason: str = "") -> str:
    """End an open ballot without a result, with a reason that stands for ever."""
    words = motion.rest(reason)
    found = await moved(motion.desk, call, motion.number, lambda m, who, _: rules.annul(m, who, words))
    return f"Motion {found.number} is annulled."


@plugin.command("vote appeal", allow=members)
async def appeal(call: Call, motion: Ended, *, reason: str = "") -> str:
    """Appeal against how a vote went; others decide, by a motion of its own."""
    words, member = motion.rest(reason), member_of(call.actor)

    def work(sitting: Sitting) -> tuple[Motion, Motion]:
        found = sitting.motion(motion.number)
        made = rules.appeal(found, sitting.person(member), words, sitting.scene(found))
        found = sitting.move(found, member.name, made)
        title = f"Annul vote {found.number}: {found.title}"[: rules.LONGEST_TITLE]
        wanted = deeds.Proposed("policy", title, words, f"{APPEAL}{found.number}")
        return found, _put(sitting, member, wanted)

    found, about = await motion.desk.sit(work)
    return f"Vote {found.number} is appealed against; motion {about.number} decides: {_next(about)}"


async def may_confirm(call: Call, registrar: Registrar, motion: Known) -> None:
    """Refuse where no effect waits for an admin, or the roster does not allow it."""
    desk = motion.desk
    found = await desk.consider(motion.alone(), member_of(call.actor), rules.confirm)
    there = await desk.roster.member(found.subject)
    if found.kind == "admit":
        await desk.store.read(lambda db: registrar.may_add_member(db, found.subject, Role.MEMBER))
    if found.kind == "expel" and there is not None:
        await desk.store.read(lambda db: registrar.may_set_member(db, there, "standing", "suspended"))


@plugin.command("vote confirm", allow=admins, confirm="Put motion {motion} into effect?", check=may_confirm)
async def confirm(call: Call, registrar: Registrar, motion: Known) -> str:
    """Put into effect what a vote decided about a member, which nothing does by itself."""
    member = member_of(call.actor)

    def work(sitting: Sitting) -> Motion:
        found = sitting.motion(motion.alone())
        made = rules.confirm(found, sitting.person(member))
        if found.kind == "admit":
            words = found.title.casefold().split()
            share = Share.HALF if "half" in words else Share.FULL
            registrar.add_member(sitting.tx, found.subject, Role.MEMBER, share, member.name)
        if found.kind == "expel" and (asked := sitting.members.get(found.subject)):
            registrar.set_member(sitting.tx, asked, "standing", "suspended", member.name)
        return sitting.move(found, member.name, made)

    found = await motion.desk.sit(work)
    if found.kind == "admit":
        name = found.subject
        return f"Motion {found.number}: {name} is a member. !member identity {name} NETWORK:SUBJECT"
    if found.kind == "expel":
        return (
            f"Motion {found.number}: {found.subject} is suspended; their machines go on until you stop them."
        )
    return f"Motion {found.number} is put into effect."
