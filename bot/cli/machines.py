"""shipboard machine add | list."""

from argparse import Namespace
from pathlib import Path

from bot.cli.basics import configured, say
from bot.cli.desk import by, reading, registrar, table, writing
from bot.config import Config, HostTable
from bot.coop.machines import Machine
from bot.coop.shares import Share
from bot.errors import ConfigError
from bot.store import roster
from bot.store.registrar import COOP


def add(args: Namespace) -> int:
    """Enter a machine."""
    config = configured(args)
    host = _host(config, args.host)
    _fitting(args)
    memory = host.memory_mib if args.memory is None else args.memory
    owner = None if args.owner == COOP else args.owner
    files = (_file("--kernel", args.kernel), _file("--initrd", args.initrd), _file("--disk", args.disk))
    machine = Machine(args.name, args.host, owner, Share(args.share), memory, *files)
    with writing(config) as tx:
        made = registrar(config).add_machine(tx, machine, by())
    say(
        f"{made} is entered: on {made.host}, owner {made.owner or COOP}, "
        f"{made.share} share, {made.memory_mib} MiB."
    )
    return 0


def show(args: Namespace) -> int:
    """List the machines."""
    with reading(configured(args)) as db:
        machines = roster.all_machines(db)
    if machines:
        table([_row(machine) for machine in machines])
    else:
        say("No machines yet: shipboard machine add enters the first.")
    return 0


def _row(machine: Machine) -> tuple[str, ...]:
    boots = machine.disk or machine.kernel or "demo image"
    owner, memory = machine.owner or COOP, f"{machine.memory_mib} MiB"
    return machine.name, machine.host, owner, f"{machine.share} share", memory, str(boots)


def _host(config: Config, name: str) -> HostTable:
    if name not in config.hosts:
        known = ", ".join(sorted(config.hosts)) or "none: add a [hosts.NAME]"
        raise ConfigError(f"--host: no host is called {name!r} in {config.source}; there is {known}")
    return config.hosts[name]


def _fitting(args: Namespace) -> None:
    """See that what a machine boots is one of the three that exist."""
    if args.disk and (args.kernel or args.initrd):
        raise ConfigError("--disk goes without --kernel and --initrd: such a machine boots from its disk")
    if bool(args.kernel) != bool(args.initrd):
        raise ConfigError("--kernel and --initrd go together")


def _file(option: str, path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise ConfigError(f"{option}: there is no file {path}")
    return path and path.absolute()
