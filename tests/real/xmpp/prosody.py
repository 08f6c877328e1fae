"""A real Prosody for the tests: a folder and free ports of its own on 127.0.0.1, ended by its process id."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.real.irc.servers import Daemon, Pki, free_port, listening, program

DOMAIN, MUC, TEAM = "xmpp.test", "conference.xmpp.test", "ford@conference.xmpp.test"

CONFIG = """\
data_path = "@DIR@/data"
pidfile = "@DIR@/prosody.pid"
run_as_root = true
daemonize = false
log = { @LEVEL@ = "@DIR@/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { @PORT@ }
c2s_direct_tls_ports = { @TLS@ }
s2s_ports = { }
http_interfaces = { "127.0.0.1" } https_interfaces = { "127.0.0.1" }
http_ports = { } https_ports = { @HTTPS@ }
network_settings = { nagle = false }
admins = { "admin@xmpp.test" }
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "carbons", "mam", "smacks", "blocklist",
    "offline", "posix", "limits" }
modules_disabled = { @WITHOUT@ }
authentication = "internal_hashed"
storage = "internal"
allow_registration = false
c2s_require_encryption = @ENCRYPTED@
smacks_hibernation_time = @HIBERNATION@
smacks_max_unacked_stanzas = 5
limits = { c2s = { rate = "@RATE@", burst = "2s" } }
ssl = { certificate = "@PKI@/xmpp.pem", key = "@PKI@/xmpp.key" }
https_ssl = { certificate = "@PKI@/xmpp.pem", key = "@PKI@/xmpp.key" }
c2s_direct_tls_ssl = { certificate = "@PKI@/xmpp.pem", key = "@PKI@/xmpp.key" }
VirtualHost "xmpp.test"
Component "conference.xmpp.test" "muc"
    modules_enabled = { "muc_mam" }
    restrict_room_creation = false
    muc_room_locking = @LOCKING@
    muc_room_default_persistent = true
    muc_room_default_public_jids = @SHOWN@
Component "upload.xmpp.test" "http_file_share"
    http_host = "localhost"
    http_external_url = "https://localhost:@HTTPS@/"
    http_file_share_size_limit = 5*1024*1024
"""


@dataclass
class Prosody(Daemon):
    """Prosody 0.12 with rooms, upload and stream management; each account's password is its name and `pw`.

    `shown` rooms show real JIDs to everybody, others to moderators alone. `without` are modules that are off:
    that which reaches other servers always, but for who tries one on 127.0.0.1.
    """

    pki: Pki | None = None
    accounts: tuple[str, ...] = ("eddie", "alice", "bob", "carol", "owner")
    shown: bool = True
    locking: bool = False
    rate: str = "1mb/s"
    hibernation: int = 120
    level: str = "info"
    without: tuple[str, ...] = ("s2s",)
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)

    def command(self) -> list[str]:
        return [program("prosody"), "--root", "--config", str(self.folder / "prosody.cfg.lua"), "-F"]

    async def start(self) -> None:
        assert self.pki is not None
        folder = self.folder / "data" / "xmpp%2etest" / "accounts"
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.accounts:
            if not (folder / f"{name}.dat").exists():
                (folder / f"{name}.dat").write_text(f'return {{ ["password"] = "{name}pw"; }};\n')
        values = {
            "DIR": self.folder, "PKI": self.pki.folder, "PORT": self.port, "TLS": self.tls_port,
            "HTTPS": self.https_port, "HIBERNATION": self.hibernation, "RATE": self.rate, "LEVEL": self.level,
            "WITHOUT": ", ".join(f'"{name}"' for name in self.without),
            "SHOWN": str(self.shown).lower(), "LOCKING": str(self.locking).lower(), "ENCRYPTED": "true",
        }  # fmt: skip
        (self.folder / "prosody.cfg.lua").write_text(filled(CONFIG, values))
        self.launch()
        await listening(self.port)
        await listening(self.tls_port)


def filled(text: str, values: Mapping[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def certify(pki: Pki) -> Pki:
    """Add a certificate for Prosody's own names to a throwaway authority."""
    names = ",".join(f"DNS:{name}" for name in (DOMAIN, MUC, f"upload.{DOMAIN}", "localhost"))
    by = ("-CA", str(pki.ca), "-CAkey", str(pki.folder / "ca.key"))
    files = ("-keyout", str(pki.folder / "xmpp.key"), "-out", str(pki.folder / "xmpp.pem"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-x509")
    words = ("-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName={names}")
    subprocess.run([program("openssl"), "req", *curve, *by, *words, *files], check=True, capture_output=True)
    return pki
