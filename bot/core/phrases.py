"""What the road itself says. Pure."""

from bot.coop.people import Standing
from bot.coop.quotes import quoted
from bot.core.registry import Bound, Registry
from bot.model import Actor, Message, Question, Reply

AWAY = Reply(("I was away when you said that, so I left it undone; say it again.",), private=True)


def forbidden(bound: Bound, actor: Actor, hint: str) -> str:
    """Name the rule that refuses, and how to prove oneself; `hint` is the network's own way."""
    text = f"Only {bound.allow} may {bound.name}"
    if actor.member is not None and actor.member.standing is not Standing.GOOD:
        return f"{text}; you are {actor.member.standing.value}."
    if actor.member is None:
        how = f"first {hint}, then !whoami" if hint else "see !whoami"
        return f"{text}, and to me you are a guest: {how}."
    return f"{text}."


def unknown(registry: Registry, message: Message, actor: Actor) -> str:
    """Answer what is no command of ours with the nearest one."""
    prefix = registry.prefix
    if not message.text:
        return f"Yes? {prefix}help tells what you may ask."
    words = message.text.split()
    if len(words) == 1 and (bounds := registry.group(words[0], actor)):
        each = ", ".join(bound.name.partition(" ")[2] for bound in bounds)
        first = bounds[0].name.split()[0]
        return f"{prefix}{first} wants one of these behind it: {each}. {prefix}help {first} tells more."
    near = registry.nearest(message.text, actor)
    mean = f"did you mean {prefix}{near.name}?" if near else f"{prefix}help tells what there is."
    return f"I know no {quoted(' '.join(words[:2]))}; {mean}"


def asking(question: Question) -> Reply:
    """Ask for a yes."""
    if question.second:
        how = f"It needs another admin's yes: !yes {question.number} within 10 min."
        return Reply.of(f"{question.text} {how}")
    return Reply((f"{question.text} Say !yes within 60 s.",), question=question.number)
