"""The API's versions: what changed between two, and what new fields would say to recent hits."""

import dataclasses
from typing import Any

import msgspec

from tracker.actions import checking, comparing, installed, looking
from tracker.actions.checking import Check, Complaint
from tracker.actions.installed import Installed
from tracker.api.events import EVENT
from tracker.api.operations import Answer, Call, Operation, find_definition
from tracker.api.serving import decode_body
from tracker.rules.allowed_operations import Access, is_allowed
from tracker.rules.clients import Scope, may
from tracker.rules.definitions import FieldDraft
from tracker.rules.diffs import Change
from tracker.stores.definitions import Definition, Version


class DiffQuery(msgspec.Struct, rename={"old": "from", "new": "to"}):
    """Two versions, each by number or id; left out, they are the two newest."""

    old: str | None = None
    new: str | None = None


class VersionName(msgspec.Struct):
    id: str
    number: int


class Diff(msgspec.Struct, rename={"old": "from", "new": "to"}):
    """What changed; `fits`: whether each hit of the old version would be valid under the new."""

    old: VersionName
    new: VersionName
    fits: bool
    changes: list[Change]


class CheckRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The new fields, all of them, and how many of the newest events they are to be tried on."""

    fields: list[FieldDraft]
    hits: int = checking.HITS


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    """The same, with fields that may be wrong in more than one way: all are told."""

    fields: Any = None
    hits: int = checking.HITS


def diff_versions(call: Call) -> Answer:
    """With `from` alone, it is compared with the newest."""
    found = comparing.diff(find_definition(call), call.query.old, call.query.new)
    diff = Diff(_name(found.old), _name(found.new), found.fits, found.changes)
    return Answer(msgspec.to_builtins(diff))


def _name(version: Version) -> VersionName:
    return VersionName(version.public_id, version.number)


def check_fields(call: Call) -> Answer:
    """How many recent events would have been rejected, by field. Nothing is saved.

    The values in the examples are there only for clients with the scope `profiles:read`, and a
    keyspace by which the definition's events may be read.
    """
    definition, sent = find_definition(call), decode_body(call.raw, _Sent)
    with looking.far(call.connection):
        found = checking.check(
            call.connection, definition, sent.fields, now=call.now, hits=sent.hits
        )
    if not _may_read(call, definition):
        found.complaints = [_without_values(complaint) for complaint in found.complaints]
    return Answer(found)


def _may_read(call: Call, definition: Definition) -> bool:
    """Whether the client could see values of these events on a timeline, too."""
    denied = definition.denied_operations
    readable = any(is_allowed(denied, keyspace, Access.READ) for keyspace in call.keyspaces)
    return readable and may(call.client, Scope.PROFILES_READ)


def _without_values(complaint: Complaint) -> Complaint:
    examples = [dataclasses.replace(one, value=None) for one in complaint.examples]
    return dataclasses.replace(complaint, examples=examples)


def list_pages(call: Call) -> Answer:
    """Origin and path of each page, by the stored events of the last 30 days."""
    definition = find_definition(call)
    with looking.far(call.connection):
        return Answer(installed.pages(call.connection, definition, now=call.now))


OPERATIONS = (
    Operation(
        "GET",
        f"{EVENT}/diff",
        Scope.DEFINITIONS_READ,
        "Compare two versions",
        diff_versions,
        query=DiffQuery,
        answers={200: Diff},
    ),
    Operation(
        "POST",
        f"{EVENT}/check",
        Scope.DEFINITIONS_READ,
        "Check new fields before they are published",
        check_fields,
        body=CheckRequest,
        reads_raw=True,
        answers={200: Check},
    ),
    Operation(
        "GET",
        f"{EVENT}/pages",
        Scope.DEFINITIONS_READ,
        "See which pages send which version",
        list_pages,
        answers={200: Installed},
    ),
)
