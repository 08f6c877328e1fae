"""What draws is one for all networks that show pictures, and begins nothing before there is a chart."""

from pathlib import Path

from bot import config, networks
from bot.charts.painter import Painter
from bot.runtime.gangway import Gangway
from bot.testing import FakeClock
from bot.testing.fakes import FakeIncidents
from bot.transports.xmpp.transport import XmppTransport


def test_all_jabber_networks_share_one_painter(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    tables = [f'[networks.{name}]\nkind = "xmpp"\njid = "e@x.test"\npassword_file = "word"' for name in "ab"]
    path.write_text("\n".join(['[bot]\nstate = "state"', *tables]))
    (tmp_path / "word").write_text("sesame")
    made = networks.make(config.load(path), Gangway(), FakeClock(), FakeIncidents())
    painters: list[Painter] = []
    for transport in made:
        assert isinstance(transport, XmppTransport)
        painter = getattr(transport.conversation.pictures.draw, "__self__", None)
        assert isinstance(painter, Painter)
        painters.append(painter)
    one, two = painters
    assert two is one
    assert one.folder == tmp_path / "state" / "cache" / "matplotlib"
    assert not one.folder.exists()
