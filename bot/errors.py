"""What can go wrong, drawn as a tree.

ShipboardError
├─ Refusal             the person asked for what is not done; the text is the reply
│  ├─ Usage            the words do not fit the command
│  ├─ NotAllowed       the rule says no
│  ├─ NotFound         there is no such thing
│  ├─ Expired          it came too late
│  └─ Conflict         the world is not as the command needs it
├─ Fault               something broke; the person gets a number, the admins the cause
│  ├─ HypervisorFault
│  ├─ TransportFault
│  └─ StoreFault
└─ SetupError          found before the bot runs: one line, exit status 2
   ├─ ConfigError      the configuration, or the use of the command line
   └─ PluginError      a plugin that cannot be loaded
"""


class ShipboardError(Exception):
    """The root of all that shipboard raises on purpose."""


class Refusal(ShipboardError):  # noqa: N818 - a refusal is an answer, not an error
    """What was asked is not done; the text is for the person who asked."""


class Usage(Refusal):
    """The words do not fit the command."""


class NotAllowed(Refusal):
    """The command's rule does not let this person do it."""


class NotFound(Refusal):
    """There is no such thing."""


class Expired(Refusal):
    """The answer came too late."""


class Conflict(Refusal):
    """The world is not in the state that the command needs."""


class Fault(ShipboardError):  # noqa: N818 - the design's own word for "ours or the world's"
    """Something of ours, or of the world, broke; the text is for the admins."""


class HypervisorFault(Fault):
    """A hypervisor or a guest did what it should not."""


class TransportFault(Fault):
    """A chat network did what it should not."""


class StoreFault(Fault):
    """The database could not be read or written."""


class SetupError(ShipboardError):
    """Found before the bot runs: one clear line, exit status 2."""


class ConfigError(SetupError):
    """The configuration or the use of the command line is wrong."""


class PluginError(SetupError):
    """A plugin cannot be loaded."""
