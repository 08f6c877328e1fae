"""Shows the co-op's policies, a page at a time, with the numbers in force."""

from textwrap import wrap

from bot import NotFound, Plugin, Policies, Usage, anyone, nearest, quoted

plugin = Plugin("policy")

LINES, WIDTH = 3, 380
"""A page is so many lines of so many characters: what a room bears, and what fits one IRC line."""


@plugin.command("policy", allow=anyone, reads=True)
async def policy(policies: Policies, name: str = "", page: int = 1) -> str:
    """List the policies, or show one, a page at a time."""
    book = policies.book()
    if not name:
        return f"Policies: {', '.join(sorted(book.policies))}. !policy NAME shows one."
    found = book.policies.get(name.casefold())
    if found is None:
        near = nearest(name.casefold(), book.policies)
        mean = f"did you mean {near}?" if near else "!policy lists them."
        raise NotFound(f"There is no policy {quoted(name)}; {mean}")
    pages = paged(book.prose(found.name))
    if not 1 <= page <= len(pages):
        raise Usage(f"{found.name} has {len(pages)} pages; there is no page {page}.")
    more = f"; !policy {found.name} {page + 1} goes on" if page < len(pages) else ""
    head = f"{found.title} (version {found.version}, page {page} of {len(pages)}{more})"
    return "\n".join((head, *pages[page - 1]))


def paged(prose: str) -> tuple[tuple[str, ...], ...]:
    """Part a policy's prose into pages; no line is over WIDTH, and the heading is a page's first line."""
    lines = [line for paragraph in prose.split("\n\n") for line in wrap(" ".join(paragraph.split()), WIDTH)]
    size = LINES - 1
    return tuple(tuple(lines[start : start + size]) for start in range(0, len(lines), size))
