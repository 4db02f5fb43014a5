"""docs/tags.md signs as the code does: each helper is run for real."""

import json
import re
import time
from pathlib import Path

import pytest

from tests.rules.signers import run
from tracker.rules.claims import Trust
from tracker.rules.signing import Secrets
from tracker.rules.tags import error

PAGE = (Path(__file__).parents[2] / "docs" / "tags.md").read_text(encoding="utf-8")
# Each program reads keys from its standard input, and prints a tag for each of them.
PROGRAMS = {
    "python": "import json, sys\n{code}\nkeys = json.load(sys.stdin)\n"
    "print(json.dumps([pintag_tag('s3cret', 'harbour', k) for k in keys]))",
    "php": "{code}\n$keys = json_decode(stream_get_contents(STDIN));\n"
    "echo json_encode(array_map(fn($k) => pintag_tag('s3cret', 'harbour', $k), $keys));",
    "javascript": "{code}\nconst keys = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));\n"
    "console.log(JSON.stringify(keys.map((k) => pintagTag('s3cret', 'harbour', k))));",
}
KEYS = ["AbC-9_x", "0" * 22]


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_helpers_sign(language: str) -> None:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    signed = json.loads(run(language, PROGRAMS[language].replace("{code}", code), KEYS))
    trust = Trust("harbour", Secrets("s3cret"), signed_tags=True)
    day = 24 * 3600
    for key, tag in zip(KEYS, signed, strict=True):
        expires = int(tag.partition(".")[0])
        assert abs(expires - time.time() - day) < 60
        assert error(tag, trust, key, expires * 1000 - 1) is None
        assert error(tag, trust, "another", expires * 1000 - 1) is not None
