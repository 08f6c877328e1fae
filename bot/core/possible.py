"""Whether what is asked for can be done now, as the command's own check says.

It is called before the question and again after its yes, so that nobody is asked about what cannot come true.
"""

from bot.core.binding import Services, inject
from bot.core.invoke import Hands, within
from bot.core.registry import Bound
from bot.errors import Fault
from bot.model import Call
from bot.ports import Clock

CHECK_SECONDS = 10.0
"""How long a check may take."""


async def check(bound: Bound, call: Call, services: Services, hands: Hands, clock: Clock) -> None:
    """Let a command's check raise its Refusal; Fault for one that is too slow, or returns something."""
    function = bound.declared.check
    if bound.check is None or function is None:
        return
    given = {**inject(bound.check, services), **{p.name: call.values[p.name] for p in bound.check.words}}
    work, what = hands.invoke(bound.declared.plugin, function, given), f"the check of {bound.name}"
    answer = await within(clock, CHECK_SECONDS, work, what)
    if answer is not None:
        raise Fault(f"{what} returned a {type(answer).__name__}: it raises a Refusal, or returns nothing")
