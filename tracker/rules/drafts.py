"""What a client may send to make or edit a definition: every error of a draft, in one answer."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from tracker.rules.definitions import Category, Draft, Edit, FieldDraft, slugify
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.fields import Field, FieldType

MAX_FIELDS = 100
MAX_NAME = 100
MAX_LABEL = 100
MAX_DESCRIPTION = 1_000

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_SOURCE_MESSAGE = "Every event says where it comes from: add the text `source`, required."
_LINE_BREAKS = "\n\r\t"
_UNSHOWABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories: controls, halves of surrogate pairs, line and paragraph separators.

Format characters (Cf) are not among them: the joiner in family emoji is one.
"""
_EXPECTED: dict[Any, str] = {
    str: "a text",
    list[Any]: "a list of fields",
    bool: "true or false",
    int: "a whole number",
    Category: f"one of {', '.join(Category)}",
    FieldType: f"one of {', '.join(FieldType)}",
}


def check(draft: Draft, previous: Sequence[Field] = ()) -> list[FieldError]:
    """Return all that is wrong with a draft, in the order of its parts.

    `previous` are the fields of the version before, whose ids an edit may name. Paths look like
    `name`, `fields` and `fields[2].key`.
    """
    fields = draft.fields or []
    errors = check_name(draft.name)
    errors += _check_description("description", draft.description)
    if len(fields) > MAX_FIELDS:
        message = f"A definition has at most {MAX_FIELDS} fields, this one has {len(fields)}."
        errors.append(FieldError("fields", ErrorCode.TOO_MANY, message))
    if all(field.key != "source" for field in fields):
        errors.append(FieldError("fields", ErrorCode.SOURCE, _SOURCE_MESSAGE))
    for index, field in enumerate(fields):
        errors += _check_field(f"fields[{index}]", field)
    errors += _check_repeats("key", [field.key for field in fields])
    errors += _check_repeats("id", [field.id for field in fields])
    known = {field.id for field in previous} | {""}
    unknown = [i for i, field in enumerate(fields) if field.id not in known]
    return errors + [_unknown_id(index) for index in unknown]


def _check_field(path: str, field: FieldDraft) -> Iterator[FieldError]:
    yield from _check_key(f"{path}.key", field.key)
    if field.label != field.key:  # a label that the key stands in for is not wrong twice
        yield from _check_line(f"{path}.label", field.label, MAX_LABEL)
    yield from _check_description(f"{path}.description", field.description)
    if field.key == "source" and field.type is not FieldType.TEXT:
        yield FieldError(f"{path}.type", ErrorCode.SOURCE, _SOURCE_MESSAGE)
    if field.key == "source" and not field.required:
        yield FieldError(f"{path}.required", ErrorCode.SOURCE, _SOURCE_MESSAGE)


def _check_key(path: str, key: str) -> Iterator[FieldError]:
    if not key:
        message = "A field needs a name: what hits carry it under."
        yield FieldError(path, ErrorCode.REQUIRED, message)
    elif not _KEY.fullmatch(key):
        message = "A field name starts with a letter; up to 63 letters, digits, _ and -"
        proposal = slugify(key, "").replace("-", "_")
        instead = f": `{proposal}` would do." if _KEY.fullmatch(proposal) else "."
        yield FieldError(
            path, ErrorCode.BAD_FORMAT, f"{message} (all of ASCII) may follow{instead}"
        )


def check_name(name: str) -> list[FieldError]:
    """What is wrong with a name, of a definition or a section: it is one line of text."""
    return list(_check_line("name", name, MAX_NAME))


def _check_line(path: str, text: str, most: int) -> Iterator[FieldError]:
    if not text:
        yield FieldError(path, ErrorCode.REQUIRED, "This cannot be empty: write a text.")
    yield from _check_length(path, text, most)
    yield from _check_characters(path, text)


def _check_description(path: str, text: str) -> Iterator[FieldError]:
    yield from _check_length(path, text, MAX_DESCRIPTION)
    yield from _check_characters(path, text, allowed=_LINE_BREAKS)


def _check_length(path: str, text: str, most: int) -> Iterator[FieldError]:
    if len(text) > most:
        message = f"At most {most:,} characters, this has {len(text):,}: shorten it."
        yield FieldError(path, ErrorCode.TOO_LONG, message)


def _check_characters(path: str, text: str, allowed: str = "") -> Iterator[FieldError]:
    if any(unicodedata.category(c) in _UNSHOWABLE and c not in allowed for c in text):
        message = "Take out line breaks and characters that cannot be shown."
        yield FieldError(path, ErrorCode.CONTROL_CHARACTER, message)


def _check_repeats(name: str, values: Sequence[str]) -> Iterator[FieldError]:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value and first.setdefault(value, index) != index:
            message = f"fields[{first[value]}] has the same {name}: each has its own."
            yield FieldError(f"fields[{index}].{name}", ErrorCode.DUPLICATE, message)


def _unknown_id(index: int) -> FieldError:
    message = "The version before has no field of this id: leave it out to add a new field."
    return FieldError(f"fields[{index}].id", ErrorCode.UNKNOWN_ID, message)


def parse_draft(sent: object, previous: Sequence[Field] = ()) -> Draft | list[FieldError]:
    """Return a checked Draft from JSON, as bytes or read already, or all that is wrong with it.

    Wrong types and unknown names are found together with what `check` finds in the rest.
    """
    sent, errors = _json(sent)
    if errors:
        return errors
    draft = _read_draft(sent, errors)
    return _with_news(errors, check(draft, previous)) or draft


def parse_edit(sent: object, previous: Sequence[Field]) -> Edit | list[FieldError]:
    """Return a checked Edit from JSON, as bytes or read already, or all that is wrong with it.

    `previous` are the fields of the newest version, whose ids the edit may name.
    """
    sent, errors = _json(sent)
    if errors:
        return errors
    edit = _read_edit(sent, errors)
    # What stays as it is was checked when it was saved.
    whole = Draft(
        category=Category.SIGNALS,
        name="unchanged" if edit.name is None else edit.name,
        description=edit.description or "",
        fields=edit.fields,
    )
    return _with_news(errors, check(whole, previous)) or edit


def _json(sent: object) -> tuple[object, list[FieldError]]:
    """What was sent, read if it is bytes, or why it can't be."""
    if not isinstance(sent, bytes):
        return sent, []
    try:
        return msgspec.json.decode(sent), []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return None, [FieldError("", ErrorCode.MALFORMED, f"This is not valid JSON: {error}")]
    except RecursionError:
        return None, [FieldError("", ErrorCode.TOO_DEEP, "This is nested too deep: send less.")]


def _with_news(errors: list[FieldError], checked: list[FieldError]) -> list[FieldError]:
    """Errors of reading, then those that the rules found in what could be read."""
    # A part that could not be read got a stand-in: what the rules say of that is no news.
    unread = [e.field for e in errors if e.code is not ErrorCode.UNKNOWN_FIELD]
    return errors + [e for e in checked if not any(_within(e.field, path) for path in unread)]


def _within(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _read_draft(sent: object, errors: list[FieldError]) -> Draft:
    parts = _Parts(sent, "", Draft, errors)
    return Draft(
        category=parts.read("category", Category, Category.SIGNALS),
        name=parts.read("name", str, ""),
        description=parts.read("description", str, ""),
        fields=_read_fields(parts, errors),
    )


def _read_edit(sent: object, errors: list[FieldError]) -> Edit:
    parts = _Parts(sent, "", Edit, errors)
    return Edit(
        name=parts.read("name", str, None),
        description=parts.read("description", str, None),
        fields=_read_fields(parts, errors),
        based_on=parts.read("based_on", int, None),
    )


def _read_fields(parts: "_Parts", errors: list[FieldError]) -> list[FieldDraft] | None:
    fields = parts.read("fields", list[Any], None)
    if fields is None:
        return None
    return [_read_field(field, f"fields[{index}]", errors) for index, field in enumerate(fields)]


def _read_field(sent: object, path: str, errors: list[FieldError]) -> FieldDraft:
    parts = _Parts(sent, path, FieldDraft, errors)
    return FieldDraft(
        key=parts.read("key", str, ""),
        type=parts.read("type", FieldType, FieldType.TEXT),
        label=parts.read("label", str, ""),
        required=parts.read("required", bool, False),
        description=parts.read("description", str, ""),
        id=parts.read("id", str, ""),
    )


class _Parts:
    """The parts of a JSON object, read one by one, so that each can be wrong by itself."""

    def __init__(
        self, sent: object, path: str, shape: type[msgspec.Struct], errors: list[FieldError]
    ) -> None:
        self._path, self._errors = path, errors
        self._sent = sent if isinstance(sent, dict) else {}
        if not isinstance(sent, dict):
            self._add("", ErrorCode.NOT_AN_OBJECT, "Expected an object.")
        parts = msgspec.structs.fields(shape)
        self._required = {p.name for p in parts if p.required and isinstance(sent, dict)}
        known = [part.name for part in parts]
        for name in self._sent:
            if name not in known:
                shown = str(name)[:MAX_NAME]
                self._add(shown, ErrorCode.UNKNOWN_FIELD, f"Known are {', '.join(known)}.")

    def read(self, name: str, type_: Any, stand_in: Any) -> Any:
        """Return a part, or a stand-in where it is left out, null or of a wrong type."""
        value = self._sent.get(name)
        if value is None:
            if name in self._required:
                self._add(name, ErrorCode.REQUIRED, f"Expected {_EXPECTED[type_]}.")
            return stand_in
        try:
            return msgspec.convert(value, type_)
        except msgspec.ValidationError:
            self._add(name, ErrorCode.WRONG_TYPE, f"Expected {_EXPECTED[type_]}.")
            return stand_in

    def _add(self, name: str, code: ErrorCode, message: str) -> None:
        path = f"{self._path}.{name}" if self._path and name else self._path or name
        self._errors.append(FieldError(path, code, message))


def complete_fields(
    draft: Draft | Edit, mint_id: Callable[[], str], previous: Sequence[Field] = ()
) -> list[Field]:
    """Return the fields of a checked draft or edit with their stable ids.

    A field keeps the id it names; one that names none goes on the field that had its key, unless
    another has named that; the others get a new id from `mint_id` (`fld_` and 10 of base36).
    """
    drafts = draft.fields or []
    named = {field.id for field in drafts}
    by_key = {field.key: field.id for field in previous if field.id not in named}
    return [
        Field(
            id=field.id or by_key.get(field.key) or mint_id(),
            key=field.key,
            label=field.label,
            type=field.type,
            required=field.required,
            description=field.description,
        )
        for field in drafts
    ]
