"""The road of a message."""
