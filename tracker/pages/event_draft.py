"""What is typed into the form of an event: its rows, what its buttons do, its errors in place."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracker.pages.visit import Values
from tracker.rules.definitions import FieldDraft
from tracker.rules.drafts import MAX_FIELDS
from tracker.rules.errors import ErrorCode, FieldError
from tracker.rules.fields import Field, FieldType
from tracker.rules.validation import SOURCE

MOST_ROWS = 2 * MAX_FIELDS
"""Rows that are read: more than can be saved, so that too many are shown with the error."""
TEMPLATE = "NEW"
"""The token of the row that fields.js copies."""

_TOKEN = re.compile(r"[0-9]{1,6}")
_INDEX = re.compile(r"fields\[([0-9]+)\](?:\.(\w+))?")
_SAME_KEY = "Another field has this name: each has its own."


@dataclass(slots=True)
class Row:
    """A field as it is typed. `token` names the row in the form, wherever it is moved to.

    id: of the saved field that the row goes on, so that another key is a renaming; errors: by part.
    """

    token: str
    key: str = ""
    label: str = ""
    type: str = FieldType.TEXT.value
    required: bool = False
    description: str = ""
    id: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class EventDraft:
    """All that is typed; errors: by part, "" for what is wrong with the whole.

    focus: the id of the element to go on from, where a button was pressed or something is wrong.
    """

    name: str = ""
    description: str = ""
    rows: list[Row] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    focus: str = ""

    @property
    def fixed(self) -> str:
        """The token of the row of `source`, which stays; "" where there is none."""
        return next((row.token for row in self.rows if row.key == SOURCE), "")

    @property
    def sent(self) -> dict[str, Any]:
        """The parts of a draft or edit, as a client of the API would send them."""
        names = ("key", "label", "type", "required", "description", "id")
        fields = [{name: getattr(row, name) for name in names} for row in self.rows]
        return {"name": self.name, "description": self.description, "fields": fields}

    def act(self, action: str) -> bool:
        """Do what a row's button says: `add`, `delete-3`, `up-3`, `down-3`. False for others."""
        name, _, token = action.partition("-")
        if name == "add":
            self._add()
        elif name in ("delete", "up", "down"):
            self._change(name, token)
        return name in ("add", "delete", "up", "down")

    def _add(self) -> None:
        if len(self.rows) >= MAX_FIELDS:
            self.errors["fields"] = f"An event has at most {MAX_FIELDS} fields."
            return
        token = str(max((int(row.token) for row in self.rows), default=-1) + 1)
        self.rows.append(Row(token))
        self.focus = f"f{token}-key"

    def _change(self, name: str, token: str) -> None:
        index = next((i for i, row in enumerate(self.rows) if row.token == token), None)
        if index is None:
            return
        if name == "delete":
            self.focus = "add"
            if token != self.fixed:
                del self.rows[index]
            return
        to = max(index - 1, 0) if name == "up" else index + 1
        self.rows.insert(to, self.rows.pop(index))
        self.focus = f"{name}-{token}"

    def refuse(self, errors: Iterable[FieldError]) -> None:
        """Put each error beside what it is about; the first of them is gone on from."""
        for error in errors:
            found = _INDEX.fullmatch(error.field)
            if found and int(found[1]) < len(self.rows):
                row, part = self.rows[int(found[1])], found[2] or "key"
                same = error.code is ErrorCode.DUPLICATE and part == "key"
                row.errors.setdefault(part, _SAME_KEY if same else error.message)
                self.focus = self.focus or f"f{row.token}-{part}"
            else:
                part = error.field if error.field in ("name", "description", "fields") else ""
                self.errors.setdefault(part, error.message)
                self.focus = self.focus or part
        # The fields come last on the page.
        self.focus = next(
            (one for one in ("name", "description") if one in self.errors), self.focus
        )


def of_fields(name: str, description: str, fields: Sequence[Field | FieldDraft]) -> EventDraft:
    """The form of saved or pre-made fields; a label that is only the key is left out."""
    rows = [
        Row(
            token=str(index),
            key=one.key,
            label="" if one.label == one.key else one.label,
            type=one.type.value,
            required=one.required,
            description=one.description,
            id=one.id,
        )
        for index, one in enumerate(fields)
    ]
    return EventDraft(name, description, rows)


def read(form: Values, known: Iterable[str] = ()) -> EventDraft:
    """The form as it was sent. `known` are ids of saved fields; others name a field of its own."""
    tokens = [one for one in form.get("row", ()) if _TOKEN.fullmatch(one)]
    ids = set(known)
    rows = [_row(form, token, ids) for token in list(dict.fromkeys(tokens))[:MOST_ROWS]]
    return EventDraft(_text(form, "name"), _text(form, "description"), rows)


def _row(form: Values, token: str, known: set[str]) -> Row:
    start = f"f{token}-"
    id_ = _text(form, f"{start}id")
    return Row(
        token=token,
        key=_text(form, f"{start}key"),
        label=_text(form, f"{start}label"),
        type=_text(form, f"{start}type"),
        required=bool(_text(form, f"{start}required")),
        description=_text(form, f"{start}description"),
        id=id_ if id_ in known else "",
    )


def _text(form: Values, name: str) -> str:
    """A value; browsers send line ends of their own, which are no change."""
    return (form.get(name) or [""])[-1].replace("\r\n", "\n")
