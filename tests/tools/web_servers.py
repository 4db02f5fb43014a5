"""Real web servers that stand before ours, with the lines that the documents have for them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.collector import house as houses
from tests.embedded.waiting import until
from tests.tools.install import find


@contextmanager
def nginx(folder: Path, port: int, lines: str) -> Iterator[None]:
    """nginx with these lines in its `http` block, which say that it listens on the port."""
    program = find("nginx")
    assert program, "python -m tests.tools.install"
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\n{'user root;' if os.geteuid() == 0 else ''}\npid {folder}/pid;\n"
        f"error_log stderr;\nevents {{}}\nhttp {{\naccess_log {folder}/access;\n{temporary}"
        f"{lines} }}\n"
    )
    with _process(port, program, "-e", "stderr", "-p", str(folder), "-c", f"{folder}/nginx.conf"):
        yield


@contextmanager
def caddy(folder: Path, port: int, lines: str) -> Iterator[None]:
    """Caddy with these sites, one of which is on the port."""
    program = find("caddy")
    assert program, "python -m tests.tools.install"
    config = folder / "Caddyfile"
    config.write_text(
        "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n"
        f"\tlog {{\n\t\tlevel ERROR\n\t}}\n}}\n{lines}"
    )
    command = (program, "run", "--adapter", "caddyfile", "--config", str(config))
    with _process(port, *command, HOME=str(folder), XDG_DATA_HOME=str(folder)):
        yield


@contextmanager
def _process(port: int, *command: str, **environment: str) -> Iterator[None]:
    """A server that listens on the port; it ends with the block."""
    running = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        until(lambda: running.poll() is not None or houses.listens(port), f"{command[0]} listens")
        assert running.poll() is None
        yield
    finally:
        running.terminate()
        running.wait(60)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for a name, signed by itself, in a file, and its key in another."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths
