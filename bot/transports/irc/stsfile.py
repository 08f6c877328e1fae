"""Policies of strict transport security in a small file, so that a restart does not forget them."""

import json
from datetime import datetime
from pathlib import Path

from bot.errors import TransportFault
from bot.transports.irc.sts import Policy


class FilePolicies:
    """A JSON object in a file: host to port and the instant until when; a `StsPolicies`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, host: str) -> Policy | None:
        """Return the host's policy; TransportFault if the file is no good: without it TLS may be given up."""
        return self._read().get(host)

    def put(self, host: str, policy: Policy | None) -> None:
        """Remember a policy, or forget it; OSError if it cannot be written."""
        known = self._read()
        if known.get(host) == policy:
            return
        known.pop(host, None)
        if policy is not None:
            known[host] = policy
        table = {name: [one.port, one.until.isoformat()] for name, one in known.items()}
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(table, indent=1), encoding="utf-8")
        draft.replace(self._path)

    def _read(self) -> dict[str, Policy]:
        try:
            table = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                host: Policy(int(port), datetime.fromisoformat(until))
                for host, (port, until) in table.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise TransportFault(f"{self._path} cannot be read, mend or remove it: {error}") from error
