"""A start imports nothing of what libraries bring along for others: each is memory for as long as it runs."""

import subprocess
import sys
from pathlib import Path

from tests.house.conftest import ROOT

CONFIG = """
[networks.home]
kind = "irc"
host = "127.0.0.1"
tls = false
rooms = ["#ford"]

[networks.jabber]
kind = "xmpp"
jid = "eddie@ford.test"
address = "127.0.0.1:5222"
password_file = "password"
rooms = ["ford@rooms.ford.test"]
"""
START = """
import importlib, pkgutil, sys
from pathlib import Path
from bot import config, networks
from bot.imports import import_apscheduler, import_sqlite_utils
from bot.runtime.clock import SystemClock, SystemEntropy
from bot.runtime.gangway import Gangway
from bot.runtime.incidents import IncidentLog

clock = SystemClock()
made = networks.make(config.load(Path(sys.argv[1])), Gangway(), clock, IncidentLog(clock, SystemEntropy()))
import_sqlite_utils()
import_apscheduler()
import bot.app, bot.runtime.timer, plugins
for found in pkgutil.iter_modules(plugins.__path__):
    importlib.import_module(f"plugins.{found.name}")
print(len(made), *sys.modules)
"""
LEFT_OUT = {
    "pygments",
    "numpy",
    "click",
    "multiprocessing",
    "ctypes",
    "pycares",
    "dateutil.parser._parser",
    "importlib_resources",
}


def test_a_start_leaves_out_what_nobody_here_uses(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "password").write_text("sesame")
    done = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path / "config.toml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    count, *loaded = done.stdout.split()
    assert count == "2"
    assert {"irc.client", "slixmpp", "sqlite_utils", "apscheduler", "plugins.votes"} <= set(loaded)
    assert LEFT_OUT & set(loaded) == set()
