"""The ship: what plugins are written against. Nothing heavy is imported here."""
