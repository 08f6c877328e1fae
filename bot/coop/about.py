"""What the ship is: its name, its version, and since when it sails."""

import re
import shlex
from dataclasses import dataclass
from datetime import datetime

from bot.coop.people import NAME

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class About:
    """The running bot, as it tells about itself.

    `program` is how its command line is started on the host, `zone` the co-op's own, an IANA name.
    """

    nick: str
    prefix: str
    started: datetime
    program: str = "shipboard"
    config: str = ""
    version: str = VERSION
    zone: str = "UTC"

    def admin_command(self, subject: str, identity: str) -> str:
        """Return the exact shell command that makes an identity's holder the first admin.

        Accounts may hold characters that a shell obeys, so every word is quoted.
        """
        name = re.sub(r"[^a-z0-9_.-]", "", subject.partition("@")[0].casefold())
        words = [self.program, *(["--config", self.config] if self.config else []), "member", "add"]
        words += [name if NAME.fullmatch(name) else "NAME", "--role", "admin", "--share", "full"]
        return shlex.join([*words, "--identity", identity])
