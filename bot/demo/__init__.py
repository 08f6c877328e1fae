"""A try-out of the whole ship on one machine: an IRC server of its own, and a co-op that lives on it."""


def main() -> int:
    """Run the demo and return its exit status; SetupError if it cannot begin."""
    from bot.demo import show  # noqa: PLC0415 - whoever wants the IRC server alone needs none of the rest

    return show.main()
