"""The collector's second reference, where there is one on the PATH: nginx answers 204, and no more.

It reads the same POSTs: the body of each is read to its end and thrown away, as the next request
of the connection comes behind it.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.stack import free_port, wait_for_port
from tracker.embedded.processes import die_with_parent

_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    {paths}
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 204; }}
    }}
}}
"""


@contextmanager
def nginx() -> Iterator[tuple[int, int] | None]:
    """Its port and process id, of a master with one worker; None where there is no nginx."""
    program = shutil.which("nginx")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pintag-benchmark-nginx-", dir="/tmp") as folder:
        port = free_port()
        paths = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in _KINDS)
        file = Path(folder, "nginx.conf")
        file.write_text(_CONFIGURATION.format(folder=folder, port=port, paths=paths))
        with subprocess.Popen(
            [program, "-e", "stderr", "-p", folder, "-c", file], preexec_fn=die_with_parent(15)
        ) as running:
            try:
                wait_for_port(port)
                yield port, running.pid
            finally:
                running.terminate()
