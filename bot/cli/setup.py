"""shipboard init | check."""

import shutil
import socket
import ssl
import stat
from argparse import Namespace
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from shlex import quote

from bot.cli.basics import advice_on_networks, configured, say
from bot.cli.desk import database, reading
from bot.cli.house import one_house
from bot.config import Config, IrcNetwork, secret
from bot.errors import ConfigError, ShipboardError
from bot.paths import share
from bot.store import roster

TEMPLATE = """\
# Shipboard's config. Every key is described in config.example.toml; paths are relative to this file.

[bot]
nick = "Eddie"
timezone = "UTC"
state = "data"                  # the database and run-time files
policies = "policies"           # yours to edit

[networks.home]
kind = "irc"
host = "irc.example.org"        # your IRC server
port = 6697
# account = "eddie"             # the bot's own services account, its password in the file below
# password_file = "secrets/home"
rooms = ["#coop", "#coop-admins"]

[places]
team = ["home/#coop"]
admins = ["home/#coop-admins"]

[hosts.ford]
hypervisor = "fake"             # "uml" for real User-Mode Linux machines
"""

NEXT = """\
{folder} is ready. The next three things to do:
1. Edit {config}: your IRC server and rooms, and the bot's account, whose password goes into {secret}
2. Make yourself the first admin:
   shipboard --config {config} member add YOU --role admin --share full --identity home:YOUR-ACCOUNT
3. Check it and start:
   shipboard --config {config} check && shipboard --config {config} run"""


def init(args: Namespace) -> int:
    """Make a folder with a config that works, a copy of the policies and a private place for secrets."""
    folder = Path(args.dir).expanduser()
    config = folder / "config.toml"
    if config.exists() or config.is_symlink():
        raise ConfigError(f"{config}: is there already; give init another folder")
    secrets = folder / "secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    secrets.chmod(0o700)
    _copy_policies(folder / "policies")
    with config.open("x", encoding="utf-8") as file:
        file.write(TEMPLATE)
    paths = {"folder": folder, "config": config, "secret": secrets / "home"}
    say(NEXT.format_map({name: quote(str(path)) for name, path in paths.items()}))
    return 0


def _copy_policies(target: Path) -> None:
    """Copy what is not there yet: what somebody edited stays."""
    for source in sorted(share("policies").rglob("*")):
        copied = target / source.relative_to(share("policies"))
        if source.is_file() and not copied.exists():
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copied)
    target.mkdir(exist_ok=True)


def check(args: Namespace) -> int:
    """Check the config and all that it refers to, or the running bot; every fault stands in the one line."""
    one_house()
    config = configured(args)
    if args.live:
        return int(import_module("bot.cli.live").live(config))
    found = dict.fromkeys([*_files(config), *_database(config), *import_module("bot.wiring").check(config)])
    if found:
        raise ConfigError(f"{config.source}: {'; '.join(found)}")
    say(f"{config.source}: all is well; networks: {len(config.networks)}, hosts: {len(config.hosts)}")
    for advise in (advice_on_networks, _open_secrets, _idle_uplinks, _no_members):
        for advice in advise(config):
            say(advice)
    return 0


def _open_secrets(config: Config) -> Iterator[str]:
    """Name the secrets that everybody on this host may read: the bot runs, but they are none."""
    for name, network in config.networks.items():
        for part in ("password_file", "client_key", "ecdsa_key"):
            path = getattr(network, part, None)
            if path is not None and path.exists() and path.stat().st_mode & stat.S_IROTH:
                yield f"networks.{name}.{part}: everybody on this host can read it: chmod 600 {path}"


def _idle_uplinks(config: Config) -> Iterator[str]:
    """Name the uplinks that are not there: what passes them would not be counted."""
    known = [name for _, name in socket.if_nameindex()]
    for name, host in config.hosts.items():
        if host.uplink is not None and host.uplink not in known:
            yield f"hosts.{name}.uplink: there is no interface {host.uplink} now, there is {', '.join(known)}"


def _no_members(config: Config) -> Iterator[str]:
    """Name who is on call and no member: nobody would hear."""
    on_call = config.plugins.get("alerts", {}).get("on_call", ())
    if not on_call or not database(config).exists():
        return
    with reading(config) as db:
        known = {member.name for member in roster.all_members(db)}
    for name in on_call:
        if name not in known:
            yield f"plugins.alerts.on_call: {name} is no member"


def _files(config: Config) -> Iterator[str]:
    """Name the files and folders of the config that are not there or of no use."""
    if config.bot.state.exists() and not config.bot.state.is_dir():
        yield f"bot.state: {config.bot.state} is no folder"
    yield from _missing("bot.policies", config.bot.policies, folder=True)
    for path in config.bot.plugin_folders:
        yield from _missing("bot.plugin_folders", path, folder=True)
    for name, host in config.hosts.items():
        yield from _missing(f"hosts.{name}.kernel", host.kernel)
    for name, network in config.networks.items():
        key = f"networks.{name}"
        try:
            secret(name, network.password_file)
        except ShipboardError as error:
            yield str(error)
        yield from _certificates(f"{key}.tls_ca_file", network.tls_ca_file)
        if isinstance(network, IrcNetwork):
            for part in ("client_certificate", "client_key", "ecdsa_key"):
                yield from _missing(f"{key}.{part}", getattr(network, part))


def _missing(key: str, path: Path | None, *, folder: bool = False) -> Iterator[str]:
    if path is not None and not (path.is_dir() if folder else path.is_file()):
        yield f"{key}: there is no {'folder' if folder else 'file'} {path}"


def _certificates(key: str, path: Path | None) -> Iterator[str]:
    if path is None:
        return
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ValueError) as error:
        yield f"{key}: {path} is no file of certificates: {error}"


def _database(config: Config) -> Iterator[str]:
    """Name what is wrong with the database; that there is none yet is fine."""
    if not database(config).exists():
        return
    try:
        with reading(config) as db:
            sound = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            roster.all_members(db)
    except ShipboardError as error:
        yield str(error)
        return
    if sound != "ok":
        yield f"{database(config)}: is damaged: {sound}; restore a backup"
