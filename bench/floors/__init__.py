"""The least possible bots: what the network and a bare library cost by themselves. Each is a program."""
