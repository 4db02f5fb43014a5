"""The types of the module: what the TypeScript compiler lets pass, and what it stops."""

import re
import subprocess
from pathlib import Path

import pytest

from benchmarks.measure_sizes import SAMPLE
from tests.tools.install import TYPESCRIPT
from tracker.rules.fields import COERCIONS, FieldType
from tracker.snippets.forms import FormName, render
from tracker.snippets.forms.modules import TYPES

IMPORT = 'import track, * as all from "./signup.js";\n'
GOOD = """
const { identify, reset, consent, track: named } = all;
track({ stage: "confirmed" });
named({ stage: "confirmed", source: "Shop", price: 12.5, seats: "9007199254740993" });
track({ stage: "", member: true, birthday: "2026-11-23", "signed-at": new Date() });
track({ stage: "", member: "false", "signed-at": 1795422600250, price: "12.50", seats: null });
const made: all.Data = { stage: "made elsewhere", price: undefined };
track(made);
identify({ email: { key: "ann@example.com", expires: 1795426200, signature: "9f" } });
identify({ "crm-id": "4711" });
identify();
identify(null);
reset();
consent(true);
const nothing: void = track({ stage: "" });
"""
BAD = (
    "track({});",  # a required field is missing
    "track();",
    "track({ stage: null });",
    'track({ stage: "", sorce: "typo" });',
    'const wide = { stage: "", sorce: "typo" }; track(wide);',
    "track({ stage: 7 });",
    'track({ stage: "", price: true });',
    'track({ stage: "", price: 1n });',
    'track({ stage: "", seats: [1] });',
    'track({ stage: "", member: "yes" });',
    'track({ stage: "", member: 1 });',
    'track({ stage: "", birthday: new Date() });',
    'track({ stage: "", birthday: 1795422600 });',
    'track({ stage: "", "signed-at": false });',
    'track({ stage: "" }, 1);',
    'identify({ mail: "ann@example.com" });',
    'identify({ email: { key: "ann@example.com" } });',
    "consent();",
    'consent("yes");',
)
"""Each of these lines is an error."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the module and its types are."""
    for form, name in ((FormName.MODULE, "signup.js"), (FormName.TYPES, "signup.d.ts")):
        (tmp_path / name).write_text(render(SAMPLE, form).text)
    return tmp_path


def compile_(folder: Path, program: str) -> list[int]:
    """The numbers of the lines that the compiler finds errors in."""
    (folder / "program.ts").write_text(program)
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext"]
    done = subprocess.run(
        ["node", str(TYPESCRIPT / "bin" / "tsc"), *options, "program.ts", "signup.d.ts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = re.findall(r"^(\S+)\((\d+),\d+\): error", done.stdout, re.MULTILINE)
    assert (done.returncode != 0) == bool(errors), done.stdout
    assert {name for name, _ in errors} <= {"program.ts"}, done.stdout
    return sorted({int(line) for _, line in errors})


@pytest.mark.slow
def test_good_programs_pass_and_each_mistake_is_an_error(folder: Path) -> None:
    assert compile_(folder, IMPORT + GOOD) == []
    first = (IMPORT + GOOD).count("\n") + 1
    wrong = [f"{{ {line} }}" for line in BAD]
    found = compile_(folder, IMPORT + GOOD + "\n".join(wrong))
    assert found == list(range(first, first + len(BAD)))


def test_every_type_takes_the_spellings_that_are_coerced() -> None:
    for coercion in COERCIONS:
        quoted = coercion.example.startswith('"')
        word = "string" if quoted else "boolean" if coercion.example == "true" else "number"
        takes = TYPES[coercion.type]
        assert word in takes or coercion.example in takes
    assert set(TYPES) == set(FieldType)
