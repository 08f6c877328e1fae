"""Gets what the demo's guests boot into the cache: found on PATH, else fetched from Debian without root.

Fetching is a process group of its own, so that whoever ends the demo meanwhile leaves no apt behind.
"""

import asyncio
import os
import platform
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import bot
from bot.errors import HypervisorFault
from bot.hypervisors.uml import image

PROCESSORS = frozenset({"x86_64", "i686", "i586", "i386"})
"""What User-Mode Linux runs on, as uname(2) names them."""

FETCH_SECONDS = 150.0


async def provide(cache: Path, say: Callable[[str], None], processor: str = platform.machine()) -> Path:
    """Return the kernel, fetched into the cache where it is not there; HypervisorFault says why not."""
    if processor not in PROCESSORS:
        raise HypervisorFault(f"User-Mode Linux does not run on {processor}")
    if image.find_kernel(cache) is None or image.find_busybox(cache) is None:
        say(f"fetching {' and '.join(image.PACKAGES)} from Debian into {cache} (42 MB, once, no root needed)")
        await _fetch(cache)
    kernel = image.find_kernel(cache)
    if kernel is None:
        raise HypervisorFault(f"no linux.uml on PATH, and none came into {cache}")
    return kernel


async def _fetch(cache: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(cache)),
        cwd=Path(bot.__file__).parents[1],  # so that -m finds this package, and no other of its name
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            _, said = await process.communicate()
    except TimeoutError as error:
        raise HypervisorFault(f"fetching took longer than {FETCH_SECONDS:g} s") from error
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        raise HypervisorFault(lines[-1] if lines else f"fetching ended with status {process.returncode}")


def main(cache: Path) -> int:
    """Fetch, in this process; return the exit status, with the reason on standard error."""
    try:
        image.fetch(cache)
    except (HypervisorFault, OSError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
