"""docs/claims.md signs as the code does."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tracker.rules.claims import Trust, read
from tracker.rules.keyspaces import Identity, Keyspace

PAGE = (Path(__file__).parents[2] / "docs" / "claims.md").read_text(encoding="utf-8")
ARGUMENTS = '("s3cret", "harbour", "email", "Ånn@B.eu")'
CALLS = {
    "python": f"import json\nprint(json.dumps(pintag_claim{ARGUMENTS}))",
    "php": f"echo json_encode(pintag_claim{ARGUMENTS});",
    "javascript": f"console.log(JSON.stringify(pintagClaim{ARGUMENTS}));",
}
COMMANDS = {
    "python": [sys.executable, "-c"],
    "php": ["php", "-r"],
    "javascript": ["node", "-e"],
}


@pytest.mark.parametrize("language", CALLS)
def test_the_helpers_sign(language: str) -> None:
    command, *options = COMMANDS[language]
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed here")
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    source = f"{code}\n{CALLS[language]}"
    printed = subprocess.run([command, *options, source], capture_output=True, check=True).stdout
    claim = json.loads(printed)
    claims = read(
        {"email": msgspec.Raw(json.dumps(claim).encode())},
        Trust("harbour", "s3cret"),
        "com.pintag",
        (claim["expires"] - 1) * 1000,
    )
    assert claims.proven == {"email": Identity(Keyspace.EMAIL, "ånn@b.eu")}
