"""The bot's own process draws nothing: what does takes 90 MB, and a second of a processor."""

import subprocess
import sys

from tests.house.conftest import ROOT, python_files

DRAWS = {"matplotlib", "numpy", "PIL"}


def test_the_whole_bot_is_there_without_what_draws() -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in python_files("bot", "plugins")
        if path.name != "__main__.py" and path.parent.name != "charts"
    ]
    assert {"bot.app", "bot.networks", "bot.transports.xmpp.pictures"} <= set(names)
    code = (
        "import importlib, sys; from bot.imports import import_sqlite_utils; import_sqlite_utils(); "
        "[importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "bot.charts.painter", *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "bot.charts.painter" in loaded
    assert loaded & DRAWS == set()
    assert "bot.charts.drawing" not in loaded
