"""How the bot talks, on every network. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """How the bot talks: its prefix, its lines at most in a room, and directly."""

    prefix: str
    room_lines: int
    direct_lines: int
