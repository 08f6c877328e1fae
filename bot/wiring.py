"""How each part is made from the config, one function a part; `bot.app` puts them together."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bot import networks
from bot.config import Config, HostTable, HttpTable
from bot.config.policies import read_folder
from bot.coop.about import About
from bot.core.crew import Orders, bind
from bot.core.pipeline import Pipeline
from bot.core.registry import Override
from bot.errors import ConfigError, SetupError
from bot.http import check as check_http
from bot.http.health import health as answer_health
from bot.http.server import Make, Server
from bot.http.vitals import Vitals
from bot.hypervisors.fake import FakeHypervisor
from bot.hypervisors.fleet import Fleet
from bot.meters.host import HostMeter
from bot.meters.interfaces import Wires
from bot.model import Group, Place
from bot.paths import share
from bot.ports import Clock, Hypervisor, Store
from bot.runtime import loader
from bot.runtime.clock import SystemClock
from bot.runtime.health import Health
from bot.runtime.rulebook import Rulebook

OFF = "off"
"""The folder in `state` that holds a file for each plugin that is switched off."""


def find_plugins(config: Config) -> loader.Found:
    """Load the plugins that the config asks for; PluginError names the first that cannot be."""
    return loader.load(config.bot.plugins, config.bot.plugin_folders, config.bot.state / OFF)


def orders(config: Config, about: About, found: loader.Found) -> Orders:
    """Return what the config says about the road; of plugins that are switched off it says nothing."""
    return Orders(
        about=about,
        overrides={
            name: Override(table.allow, table.limit, table.confirm, table.rooms)
            for name, table in config.commands.items()
        },
        tables=config.plugins,
        hints={name: net.login_hint for name, net in config.networks.items()},
        unpaced=frozenset(name for name, net in config.networks.items() if net.pace == "off"),
        off=frozenset(name for name, _ in found.off),
        rooms=frozenset(f"{name}/{room}" for name, net in config.networks.items() for room in net.rooms),
        zone=config.bot.timezone,
    )


def about(config: Config, clock: Clock) -> About:
    """Return what the bot tells about itself."""
    program = str(Path(sys.argv[0]).absolute()) if Path(sys.argv[0]).name == "shipboard" else "shipboard"
    source = str(config.source.absolute()) if config.source else ""
    zone = config.bot.timezone
    return About(config.bot.nick, config.bot.prefix, clock.now(), program, source, zone=zone)


def rooms(config: Config, group: Group | str) -> Sequence[Place]:
    """Return the rooms that a group's name stands for."""
    pairs = (room.split("/", 1) for room in config.rooms_of(group))
    return tuple(Place(network, room) for network, room in pairs)


def fleet(config: Config, clock: Clock) -> Fleet:
    """Make the hypervisors of all hosts."""
    return Fleet({name: _hypervisor(config, name, table, clock) for name, table in config.hosts.items()})


def _hypervisor(config: Config, name: str, table: HostTable, clock: Clock) -> Hypervisor:
    match table.hypervisor:
        case "fake":
            return FakeHypervisor(name, clock)
        case "uml":
            from bot.hypervisors.uml.hypervisor import UmlHypervisor  # noqa: PLC0415 - 20 ms, only for such hosts
            from bot.hypervisors.uml.runfolder import run_folder  # noqa: PLC0415 - goes with it

            folder = table.folder or config.bot.state / name
            return UmlHypervisor(
                name,
                folder=folder,
                run=run_folder(folder),
                cache=config.bot.state / "cache",
                sandbox=table.sandbox,
                clock=clock,
                kernel=table.kernel,
            )
        case _:
            raise ConfigError(
                f"hosts.{name}.hypervisor: {table.hypervisor} is not in this version; use uml or fake"
            )


def policies(config: Config, store: Store) -> Rulebook:
    """Read the co-op's policies, ours where it has none of its own; ConfigError names what is wrong."""
    own = config.bot.policies
    return Rulebook(own or share("policies"), store, writable=own is not None)


def meter(config: Config, clock: Clock) -> HostMeter:
    """Make what measures the hosts."""
    folders = {name: table.folder or config.bot.state for name, table in config.hosts.items()}
    wires = {name: Wires(table.uplink, table.taps, table.counters) for name, table in config.hosts.items()}
    return HostMeter(folders, clock, wires=wires)


def http(table: HttpTable, vitals: Vitals, health: Health, pipeline: Pipeline) -> Server:
    """Make what serves the bot's metrics and its health; from then on the road is counted."""
    from bot.http.metrics import Metrics  # noqa: PLC0415 - 0.2 s, only where it is wanted

    pipeline.counts = metrics = Metrics(vitals)
    pages: dict[str, Make] = {"/metrics": metrics.page, "/health": partial(answer_health, health.answer)}
    return Server(*table.address, pages, pipeline.incidents)


def check(config: Config) -> list[str]:
    """Return what is wrong with the plugins, the networks and the hosts of a config, without running any."""
    faults = []
    clock = SystemClock()
    for attempt in (_check_plugins, _check_policies, _check_networks, _check_hosts, _check_http):
        try:
            attempt(config, clock)
        except SetupError as error:
            faults.append(str(error))
    return faults


def _check_plugins(config: Config, clock: Clock) -> None:
    found = find_plugins(config)
    plugins = [loaded.plugin for loaded in found.loaded]
    _, settings = bind(plugins, orders(config, about(config, clock), found))
    book = read_folder(config.bot.policies or share("policies"))
    faults = [
        f"plugins.{plugin.name}: {fault}"
        for plugin in plugins
        if plugin.checker is not None and plugin.settings is not None
        for fault in plugin.checker(settings[plugin.settings], book)
    ]
    if faults:
        raise ConfigError("; ".join(faults))


def _check_policies(config: Config, _: Clock) -> None:
    read_folder(config.bot.policies or share("policies"))


def _check_networks(config: Config, _: Clock) -> None:
    for name, net in config.networks.items():
        networks.password(name, net)


def _check_http(config: Config, _: Clock) -> None:
    check_http(config)


def _check_hosts(config: Config, clock: Clock) -> None:
    hosts: Mapping[str, HostTable] = config.hosts
    for name, table in hosts.items():
        _hypervisor(config, name, table, clock)
