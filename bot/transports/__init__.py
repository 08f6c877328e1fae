"""How the bot speaks to the networks. A transport connects and translates; it decides nothing."""
