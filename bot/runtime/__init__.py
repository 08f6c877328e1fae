"""What keeps the parts running: timers, back-off, incidents, health."""
