"""A certificate that signs itself, for tests with TLS."""

import shutil
import subprocess
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")
Pair = tuple[Path, Path]


def make_pair(folder: Path) -> Pair:
    """Return the files of a certificate for localhost and of its key."""
    if OPENSSL is None:
        pytest.skip("openssl is not installed: TLS is not tested here")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    files = ["-addext", names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([OPENSSL, *command.split(), *files], check=True, capture_output=True)
    return certificate, key


def make_key(folder: Path) -> Path:
    """Return the file of a key on NIST P-256, with the block of parameters that openssl puts before it."""
    assert OPENSSL
    words = ("ecparam", "-name", "prime256v1", "-genkey", "-out", str(folder / "ec.pem"))
    subprocess.run([OPENSSL, *words], check=True, capture_output=True)
    return folder / "ec.pem"
