"""A bot's process for the tests: does deeds to machine ford-1, and says what came of them.

uml_bot.py FOLDER CACHE SANDBOX DEED...; a deed is start, adopt, stop, kill, wait, or run:COMMAND.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path

from bot.coop.machines import Machine
from bot.errors import ShipboardError
from bot.hypervisors.uml.hypervisor import UmlHypervisor
from bot.hypervisors.uml.runfolder import run_folder
from bot.runtime.clock import SystemClock


async def do(hypervisor: UmlHypervisor, machine: Machine, deed: str) -> object:
    match deed.partition(":"):
        case "start", _, _:
            info = await hypervisor.start(machine)
            return [info.state, info.pid, info.limits.sandbox if info.limits else ""]
        case "adopt", _, _:
            return [info.state for info in await hypervisor.adopt([machine])]
        case "stop", _, _:
            return (await hypervisor.stop(machine)).rung
        case "kill", _, _:
            await hypervisor.kill(machine)
            return "killed"
        case "run", _, command:
            result = await hypervisor.run(machine, base64.b64decode(command).decode())
            return [result.status, result.output.decode("utf-8", "replace")]
    await asyncio.Event().wait()
    return None


async def main(folder: str, cache: str, sandbox: str, *deeds: str) -> None:
    ford = Path(folder, "ford")
    hypervisor = UmlHypervisor(
        "ford",
        folder=ford,
        run=run_folder(ford),
        cache=Path(cache),
        sandbox=sandbox,  # type: ignore[arg-type]  # one of the config's words
        clock=SystemClock(),
    )
    for deed in deeds:
        try:
            said = await do(hypervisor, Machine("ford-1", "ford", memory_mib=48), deed)
        except ShipboardError as refusal:
            said = f"{type(refusal).__name__}: {refusal}"
        print(json.dumps(said), flush=True)  # noqa: T201 - how it talks to the test
    await hypervisor.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
