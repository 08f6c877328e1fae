"""A try-out of the whole ship on one machine: an IRC server of its own, and a co-op that lives on it."""
