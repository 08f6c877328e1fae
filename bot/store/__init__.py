"""What is on disk: the database, the audit book, the outbox, the events and the roster."""
