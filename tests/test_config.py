"""The config: what is right is read, what is wrong is one line that names the key."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.config import (
    BotTable,
    CommandTable,
    Config,
    HostTable,
    HttpTable,
    IrcNetwork,
    Pace,
    XmppNetwork,
    find,
    is_loopback,
    load,
    parse,
    search_path,
    secret,
)
from bot.errors import ConfigError

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "config.example.toml"
HERE = Path("/etc/shipboard/config.toml")
IRC = '[networks.oftc]\nkind = "irc"\nhost = "irc.example.org"\n'
XMPP = '[networks.jabber]\nkind = "xmpp"\njid = "eddie@ford.example"\n'


def read(text: str) -> Config:
    return parse(text, HERE)


def fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, HERE)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"{HERE}: ")
    return said.removeprefix(f"{HERE}: ")


def outcome(text: str) -> str:
    try:
        return str(parse(text, HERE).source)
    except ConfigError as error:
        return str(error)


def test_the_example_is_read() -> None:
    config = load(EXAMPLE)
    assert config.source == EXAMPLE
    assert config.bot.state == ROOT / "data"
    assert config.rooms_of("team") == ("oftc/#ford", "jabber/ford@rooms.ford.example")


@pytest.mark.parametrize(
    ("at", "model"),
    [
        ("bot", BotTable),
        ("networks.oftc", IrcNetwork),
        ("networks.oftc.pace", Pace),
        ("networks.jabber", XmppNetwork),
        ("hosts.ford", HostTable),
        ("http", HttpTable),
        ("commands.vm destroy", CommandTable),
    ],
)
def test_the_example_has_every_key_and_no_other(at: str, model: type[BaseModel]) -> None:
    table: Any = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    for part in at.split("."):
        table = table[part]
    assert set(table) == set(model.model_fields)


def test_the_example_has_every_table() -> None:
    tables = set(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")))
    assert tables == set(Config.model_fields) - {"source"}


def test_every_key_of_the_example_has_its_word_of_explanation() -> None:
    keys = [
        line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if re.match(r"[a-z_]+ = ", line)
    ]
    plain = {
        "kind",
        "host",
        "port",
        "jid",
        "rooms",
        "client_key",
        "tls_ca_file",
        "nick",
        "password_file",
        "on_call",
    }
    assert [line for line in keys if "#" not in line and line.split(" =")[0] not in plain] == []
    assert len(keys) > 40


def test_an_empty_file_is_a_config() -> None:
    config = read("")
    assert (config.bot.nick, config.bot.plugins, config.networks) == ("Eddie", None, {})
    assert config.bot.state == HERE.parent / "data"
    assert str(config.bot.zone) == "UTC"


def test_relative_paths_are_relative_to_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/eddie")
    config = read(
        '[bot]\nstate = "s"\npolicies = "/p"\nplugin_folders = ["~/more", "x"]\n'
        + IRC
        + 'tls_ca_file = "ca.pem"'
    )
    assert config.bot.state == HERE.parent / "s"
    assert config.bot.policies == Path("/p")
    assert config.bot.plugin_folders == (Path("/home/eddie/more"), HERE.parent / "x")
    assert config.networks["oftc"].tls_ca_file == HERE.parent / "ca.pem"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nick = 3", "nick: unknown key"),
        ("[bot]\nnik = 'Eddie'", "bot.nik: unknown key; did you mean nick?"),
        ("[bot]\nnick = 3", "bot.nick: Input should be a valid string"),
        ("[bot]\nnick = '#a'", 'bot.nick: "#a" is not written like Eddie'),
        ("[bot]\nprefix = 'a'", 'bot.prefix: "a" is not written like ! or ~'),
        ("[bot]\ntimezone = 'Mars'", "bot.timezone: Mars is no IANA time zone, write it like Europe/Berlin"),
        ("[bot]\nroom_lines = 0", "bot.room_lines: Input should be greater than or equal to 1"),
        ("[bot]\nplugins = 'vms'", "bot.plugins: Input should be a valid tuple"),
        ("bot = 1", "bot: Input should be a valid dictionary or instance of BotTable"),
        ("source = 'x'", "source: unknown key"),
        (
            "[networks.oftc]\nhost = 'x'",
            'networks.oftc: kind is missing: write kind = "irc" or kind = "xmpp"',
        ),
        ("[networks.oftc]\nkind = 'icq'", 'networks.oftc: unknown kind: write kind = "irc" or kind = "xmpp"'),
        ("[networks.oftc]\nkind = 'irc'", "networks.oftc.host: missing"),
        ("[networks.OFTC]\nkind = 'irc'\nhost = 'x'", 'networks.OFTC: "OFTC" is not written like ford'),
        (IRC + "prot = 6697", "networks.oftc.prot: unknown key; did you mean port?"),
        (IRC + "port = 99999", "networks.oftc.port: Input should be less than or equal to 65535"),
        (IRC + "tls = false", "networks.oftc: tls = false is refused for irc.example.org"),
        (IRC + "rooms = ['ford']", 'networks.oftc.rooms.0: "ford" is not written like #ford'),
        (IRC + "mechanisms = ['MD5']", "networks.oftc.mechanisms.0: Input should be 'PLAIN'"),
        (IRC + "tls_fingerprints = ['ab']", "networks.oftc.tls_fingerprints.0: write a SHA-256 fingerprint"),
        (IRC + "pace = 'fast'", "networks.oftc.pace: Input should be"),
        (XMPP + "jid = 'x'", "not TOML: Cannot overwrite a value"),
        (XMPP + "address = 'x'", 'networks.jabber.address: "x" is no address with a port: write it like 127'),
        (XMPP + "address = 'x:99999'", 'networks.jabber.address: "x:99999" is no address with a port'),
        (
            XMPP + "rooms = ['ford']",
            'networks.jabber.rooms.0: "ford" is not written like ford@rooms.ford.example',
        ),
        (
            "[places]\nteam = ['oftc/#x']",
            "places.team: no network joins oftc/#x, add it to that network's rooms",
        ),
        (
            "[hosts.ford]\nhypervisor = 'xen'",
            "hosts.ford.hypervisor: Input should be 'uml', 'fake' or 'libvirt'",
        ),
        ("[hosts.ford]\nhypervisor = 'uml'\nsandbox = 'maybe'", "hosts.ford.sandbox: Input should be 'auto'"),
        ("[commands.x]\nlimit = 'often'", 'commands.x.limit: "often" is not written like 3/10m'),
        ("[commands.x]\nallow = 'god'", "commands.x.allow: Input should be 'anyone', 'members' or 'admins'"),
        ("[http]\n", "http.listen: missing"),
        (
            '[http]\nlisten = "0.0.0.0:9464"',
            'http.listen: "0.0.0.0:9464" can be reached from elsewhere: listen on loopback, as 127.0.0.1:',
        ),
        ('[http]\nlisten = "[2001:db8::1]:9464"', "can be reached from elsewhere"),
        ('[http]\nlisten = "127.evil.example:9464"', "can be reached from elsewhere"),
        ('[http]\nlisten = ":9464"', 'http.listen: ":9464" is no address with a port'),
        (
            '[http]\nlisten = "127.0.0.1"',
            'http.listen: "127.0.0.1" is no address with a port: write it like 127.0.0.1:9464',
        ),
        ("[plugins]\nalerts = 3", "plugins.alerts: Input should be a valid dictionary"),
        ("[bot", "not TOML: "),
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = " + "9" * 5000, "not TOML: "),
        ('[bot]\n"a\\nb" = 1', "bot.a b: unknown key"),
        ('[bot]\nstate = "a\\u0000b"', "bot.state: a path has no NUL in it"),
        ("[bot]\nstate = '~nobody-here/x'", "bot.state: ~nobody-here/x: there is no such home directory"),
        ("[networks.irc]\nkind = 'irc'\nhost = 'x'\nprot = 1", "networks.irc.prot: unknown key"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it(text: str, said: str) -> None:
    assert said in fault(text)


@given(st.text())
def test_any_text_is_read_or_one_line(text: str) -> None:
    assert outcome(text).startswith(f"{HERE}")


JUNK = st.recursive(
    st.one_of(st.booleans(), st.integers(-1, 70000), st.sampled_from(["irc", "uml", "x", "", "a/b", "!"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["kind", "host", "jid", "hypervisor", "pace", "rooms", "x"]), inner, max_size=4
        ),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Config.model_fields, "x"]), JUNK))
def test_any_table_is_read_or_one_line(table: dict[str, Any]) -> None:
    said = outcome("\n".join(f"{key} = {_toml(value)}" for key, value in table.items()))
    assert "\n" not in said


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return repr(value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_plain_text_may_go_to_loopback(host: str) -> None:
    assert is_loopback(host)
    config = read(f"[networks.demo]\nkind = 'irc'\nhost = '{host}'\ntls = false")
    assert config.networks["demo"].kind == "irc"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - to connect to
def test_plain_text_may_go_to_this_very_host(host: str) -> None:
    read(f"[networks.demo]\nkind = 'irc'\nhost = '{host}'\ntls = false")
    assert not is_loopback(host)  # who listens there is heard everywhere


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example.org", "", "127.0.0.1.example.org"])
def test_plain_text_goes_nowhere_else(host: str) -> None:
    assert not is_loopback(host)


def test_what_places_stand_for() -> None:
    rooms = IRC + "rooms = ['#a', '#b']\n"
    assert read(rooms).rooms_of("team") == ("oftc/#a", "oftc/#b")
    assert read(rooms).rooms_of("admins") == read(rooms).rooms_of("alerts") == read(rooms).rooms_of("x") == ()
    named = read(rooms + "[places]\nadmins = ['oftc/#b']\nmine = ['oftc/#a']")
    assert named.rooms_of("alerts") == named.rooms_of("admins") == ("oftc/#b",)
    assert named.rooms_of("mine") == ("oftc/#a",)


def test_a_fingerprint_is_kept_as_plain_digits() -> None:
    config = read(IRC + f"tls_fingerprints = ['sha256:{':'.join(['AB'] * 32)}']")
    network = config.networks["oftc"]
    assert isinstance(network, IrcNetwork)
    assert network.tls_fingerprints == ("ab" * 32,)


def test_a_config_is_found_where_it_should_be(tmp_path: Path) -> None:
    cwd, home = tmp_path / "cwd", tmp_path / "home"
    xdg = tmp_path / "xdg"
    for folder in (cwd, home / ".config/shipboard", xdg / "shipboard"):
        folder.mkdir(parents=True)
    assert search_path({}, cwd, home)[-1] == Path("/etc/shipboard/config.toml")
    with pytest.raises(
        ConfigError, match="no config file: name one with --config, or make one with `shipboard init"
    ):
        find(None, {"XDG_CONFIG_HOME": str(tmp_path / "none")}, cwd, home)
    in_home = home / ".config/shipboard/config.toml"
    in_home.touch()
    assert find(None, {}, cwd, home) == in_home
    in_xdg = xdg / "shipboard/config.toml"
    in_xdg.touch()
    assert find(None, {"XDG_CONFIG_HOME": str(xdg)}, cwd, home) == in_xdg
    (cwd / "config.toml").touch()
    assert find(None, {}, cwd, home) == cwd / "config.toml"
    assert find(None, {"SHIPBOARD_CONFIG": "/s"}, cwd, home) == Path("/s")
    assert search_path({"SHIPBOARD_CONFIG": "/s"}, cwd, home)[0] == Path("/s")
    assert find(Path("/named"), {"SHIPBOARD_CONFIG": "/s"}, cwd, home) == Path("/named")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml: cannot be read: No such file"):
        load(tmp_path / "nothing.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="cannot be read: 'utf-8' codec"):
        load(tmp_path / "latin.toml")


def test_a_password_is_in_its_file_or_a_credential(tmp_path: Path) -> None:
    (tmp_path / "oftc").write_text(" with spaces \n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert secret("oftc", tmp_path / "oftc", {}) == " with spaces "
    assert secret("oftc", None, environ) == " with spaces "
    assert secret("jabber", None, environ) is None
    assert secret("oftc", None, {}) is None
    (tmp_path / "oftc").write_text("\n")
    with pytest.raises(ConfigError, match=r"networks\.oftc\.password_file: .*/oftc is empty"):
        secret("oftc", tmp_path / "oftc", {})
    with pytest.raises(ConfigError, match=r"networks\.oftc\.password_file: .*/none cannot be read"):
        secret("oftc", tmp_path / "none", dict(os.environ))


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_where_metrics_are_served(listen: str, address: tuple[str, int]) -> None:
    table = read(f'[http]\nlisten = "{listen}"').http
    assert table is not None
    assert table.address == address
    assert read("").http is None
