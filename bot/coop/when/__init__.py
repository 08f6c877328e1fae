"""Times in words: `every friday 18:00`, `monthly last fri 18:00`, `in 3h`, `cron "0 18 * * 5"`.

What an expression may say is in `grammar`; what it means is here and holds in every zone:

- It names times of the clock on the wall of its zone. One that is missing there, where the clock leaps
  ahead (02:30, or the whole of 30 December 2011 in Apia), comes at the instant of the leap. One that comes
  twice, where the clock is set back, comes once, at the first.
- `every 7 hours` names the times 00:00, 07:00, 14:00 and 21:00: it counts from each midnight anew.
- That is so for every rule: `every 15 min` names 02:15 like any other, and is silent while the clock shows
  the same hour again. Who wants its pace kept writes a zone that is never set back: `every 15 min UTC`.
- `in 1d` is 24 hours. `tomorrow` is the next date on the wall of the zone.
"""

from bot.coop.when.expression import When, parse, restored
from bot.coop.when.zones import is_within, zone_named

__all__ = ["When", "is_within", "parse", "restored", "zone_named"]
