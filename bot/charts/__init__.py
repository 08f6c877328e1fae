"""Pictures of figures: what draws a chart runs as `python -m bot.charts`, in a process that soon ends.

Drawing takes a second of a processor and 90 MB: neither is taken from the bot, which imports no matplotlib.
"""
