"""`python -m tests.chaos`: one run in a folder, and as root in namespaces, of its own.

Whatever ends the run ends all its processes and mounts: they live in its namespaces.
"""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tests.chaos.run import Plan, Run
from tracker.embedded.processes import die_with_parent

_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def main(
    seconds: Annotated[float, typer.Option(help="For how long faults strike.", min=1)] = 180.0,
    seed: Annotated[int, typer.Option(help="The same seed, the same faults; 0: any.")] = 0,
    only: Annotated[str, typer.Option(help="Only faults with this in their names.")] = "",
    keep: Annotated[bool, typer.Option(help="Keep the folder of a run that went well.")] = False,
    inside: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Strike a whole installation under load; exit with 1 if a hit is lost or counted twice."""
    seed = seed or random.randrange(1, 1_000_000)
    if inside:
        raise typer.Exit(_run(Plan(seconds, seed, only), inside))
    print(f"python -m tests.chaos --seconds {seconds:g} --seed {seed} --only '{only}'", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="pintag-chaos-", dir="/tmp"))
    folder.chmod(0o711)
    options = (f"--seconds={seconds}", f"--seed={seed}", f"--only={only}", f"--inside={folder}")
    code = _apart(sys.executable, "-m", "tests.chaos", *options)
    if code == 1 or keep:
        print(f"Ledger and logs are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(code)


def _apart(*command: str) -> int:
    """Run a command such that nothing of it is left at its end, or at ours."""
    namespaces = _NAMESPACES if _can_be_apart() else ()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    ends_with_us = die_with_parent(signal.SIGKILL)
    with subprocess.Popen([*namespaces, *command], preexec_fn=ends_with_us) as process:
        try:
            return process.wait()
        except (KeyboardInterrupt, SystemExit):
            return 130
        finally:
            process.kill() if namespaces else process.terminate()


def _can_be_apart() -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run([*_NAMESPACES, "true"], check=False, capture_output=True).returncode == 0


def _run(plan: Plan, folder: Path) -> int:
    async def run() -> bool:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await Run(plan, folder).go()

    try:
        return 0 if asyncio.run(run()) else 1
    except asyncio.CancelledError:
        return 130


if __name__ == "__main__":
    typer.run(main)
