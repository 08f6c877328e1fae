"""What shipboard costs, measured beside the least that a bot can cost: `python -m bench`, or `make bench`."""
