"""How the bot is, for programs: the answer of `shipboard check --live`, with a status."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus

from bot.http.server import Page


async def health(answer: Callable[[], Mapping[str, object]]) -> Page:
    """Return all that is known, as JSON; 503 where something is wrong, which `faults` names."""
    found = answer()
    status = HTTPStatus.SERVICE_UNAVAILABLE if found["faults"] else HTTPStatus.OK
    return Page(json.dumps(found).encode() + b"\n", "application/json", status)
