"""The configuration: TOML read into frozen models. Unknown keys are errors that name the key.

Relative paths are relative to the file. Secrets are never in it: they come from `password_file` or from
systemd's credentials (https://systemd.io/CREDENTIALS/).
"""

from bot.config.load import explain, find, load, parse, search_path, secret
from bot.config.tables import (
    NAME,
    BotTable,
    CommandTable,
    Config,
    FilePath,
    HostTable,
    HttpTable,
    HypervisorKind,
    IrcNetwork,
    Mechanism,
    Model,
    Name,
    Network,
    Pace,
    Port,
    SandboxKind,
    XmppNetwork,
    is_loopback,
)

__all__ = [
    "NAME",
    "BotTable",
    "CommandTable",
    "Config",
    "FilePath",
    "HostTable",
    "HttpTable",
    "HypervisorKind",
    "IrcNetwork",
    "Mechanism",
    "Model",
    "Name",
    "Network",
    "Pace",
    "Port",
    "SandboxKind",
    "XmppNetwork",
    "explain",
    "find",
    "is_loopback",
    "load",
    "parse",
    "search_path",
    "secret",
]
