"""The co-op's own words: people, shares, machines, events and questions. Pure."""
