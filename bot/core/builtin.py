"""The commands that the road itself has: answers to questions, jobs, and the care for plugins."""

from bot.coop.events import DayBegan
from bot.coop.people import Member, Role
from bot.core.explain import Explainer
from bot.core.jobs import Jobs
from bot.core.masking import masked
from bot.core.plugin import Plugin
from bot.core.questions import Proceed, Questions
from bot.core.registry import Registry
from bot.core.reload import Reloader
from bot.core.rules import admins, anyone, members
from bot.errors import NotAllowed
from bot.model import Actor, Message, Outcome
from bot.ports import Clock, Due

plugin = Plugin("core")
RELOAD_SECONDS = 120.0
"""A plugin's new migrations may take a while."""


@plugin.command("yes", allow=anyone, exclusive=False)
async def yes(
    message: Message, actor: Actor, questions: Questions, clock: Clock, number: int | None = None
) -> Proceed:
    """Say yes to your own newest question here, or to another's by its number."""
    return Proceed(questions.settle(number, message, actor, clock.now()), actor)


@plugin.command("no", allow=anyone, reads=True)
async def no(
    message: Message, actor: Actor, questions: Questions, registry: Registry, number: int | None = None
) -> str:
    """Say no to a question; what was asked is left undone."""
    question = questions.drop(number, message, actor)
    bound = registry.command(question.command)
    words = masked(question.words, bound.signature, bound.declared.private)
    return f"Left undone: {question.command} {words}".rstrip() + "."


@plugin.command("jobs", allow=members, reads=True)
async def jobs(running: Jobs) -> str:
    """List what takes longer and still runs."""
    if not running.running:
        return "No job runs."
    return "\n".join(
        f"{job.number} {job.about} for {job.call.actor}: {job.part:.0%} {job.text}".rstrip()
        for job in running.running.values()
    )


@plugin.command("cancel", allow=members)
async def cancel(actor: Actor, running: Jobs, number: int) -> str:
    """End a job of yours; admins may end anybody's."""
    job = running.running.get(number)
    if job is not None and actor.role is not Role.ADMIN and str(job.call.actor) != str(actor):
        raise NotAllowed(f"Only {job.call.actor} or admins may cancel job {number}.")
    return f"Cancelled: {running.cancel(number, str(actor)).about}."


@plugin.command("can", allow=members, reads=True, private=("command",))
async def can(message: Message, explainer: Explainer, member: Member, *, command: str) -> str:
    """Say whether a member may use a command, and why."""
    return await explainer.explain(member, command, message)


@plugin.command("plugin list", allow=admins, reads=True)
async def plugin_list(reloader: Reloader) -> str:
    """List the loaded plugins, and those that are switched off."""
    off = f" Switched off: {', '.join(reloader.off())}." if reloader.off() else ""
    return f"Plugins: {', '.join(reloader.loaded()) or 'none'}.{off}"


@plugin.command("plugin reload", allow=admins, timeout=RELOAD_SECONDS)
async def plugin_reload(reloader: Reloader, name: str) -> str:
    """Load a plugin's code anew; where that fails, the old one goes on."""
    return await reloader.reload(name.casefold())


@plugin.job(when="every day 00:00 UTC", at_once=True)
async def begin_day(due: Due) -> Outcome:
    """Tell that a new UTC day began; of several that were missed, the last."""
    return Outcome(events=(DayBegan(date=due.due_utc.date().isoformat()),))
