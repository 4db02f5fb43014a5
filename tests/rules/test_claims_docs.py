"""docs/claims.md signs as the code does, whatever the key: each helper is run for real."""

import json
import re
import time
from pathlib import Path

import msgspec
import pytest

from tests.rules.signers import run
from tracker.rules.claims import Trust, read, sign
from tracker.rules.keyspaces import Identity, Keyspace
from tracker.rules.signing import Secrets

PAGE = (Path(__file__).parents[2] / "docs" / "claims.md").read_text(encoding="utf-8")
# Each program reads the keys from its standard input, and prints a claim for each of them.
PROGRAMS = {
    "python": "import json, sys\n{code}\nkeys = json.load(sys.stdin)\n"
    "print(json.dumps([pintag_claim('s3cret', 'harbour', 'crm-id', k) for k in keys]))",
    "php": "{code}\n$keys = json_decode(stream_get_contents(STDIN));\n"
    "$sign = fn($k) => pintag_claim('s3cret', 'harbour', 'crm-id', $k);\n"
    "echo json_encode(array_map($sign, $keys));",
    "javascript": "{code}\nconst keys = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));\n"
    "console.log(JSON.stringify(keys.map((k) => pintagClaim('s3cret', 'harbour', 'crm-id', k))));",
}
KEYS = [
    "7",
    "Ånn@B.eu",
    'it\'s "Ann"',
    "$key \\n {$key} ${key} %s `id`",
    "a\nb\r\n\tc",
    "pintag-claim-v1\nother\nemail\n1\nann",
    "😀 日本語 \u2028 e\u0301",
    "</script><!--",
]


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_helpers_sign(language: str) -> None:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    claims = json.loads(run(language, PROGRAMS[language].replace("{code}", code), KEYS))
    assert [claim["key"] for claim in claims] == KEYS
    for claim in claims:
        expires = claim["expires"]
        assert claim["signature"] == sign(
            "s3cret", "harbour", Keyspace.CRM_ID, claim["key"], expires
        )
        assert abs(expires - time.time() - 3600) < 60
    sent = {"crm-id": msgspec.Raw(json.dumps(claims[0]).encode())}
    found = read(
        sent, Trust("harbour", Secrets("s3cret")), "com.pintag", (claims[0]["expires"] - 1) * 1000
    )
    assert found.proven == {"crm-id": Identity(Keyspace.CRM_ID, KEYS[0])}
