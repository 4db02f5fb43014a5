"""What a client may address: its keyspaces, and its section."""

import msgspec

from tracker.api.operations import Answer, Call, Operation


class KeyspaceView(msgspec.Struct):
    """A keyspace; routes take its name or its discriminator."""

    name: str
    discriminator: str
    meaning: str


class KeyspaceList(msgspec.Struct):
    items: list[KeyspaceView]


class SectionView(msgspec.Struct):
    """A section; routes take its slug."""

    slug: str
    name: str


class SectionList(msgspec.Struct):
    items: list[SectionView]


def list_keyspaces(call: Call) -> Answer:
    """Those that the client may address and see."""
    prefix = call.prefix
    views = [KeyspaceView(k.value, k.discriminator(prefix), k.meaning) for k in call.keyspaces]
    return Answer(KeyspaceList(views))


def list_sections(call: Call) -> Answer:
    """The client's own section: a client belongs to one."""
    return Answer(SectionList([SectionView(call.section.slug, call.section.name)]))


OPERATIONS = (
    Operation(
        "GET",
        "/audience/keyspaces",
        None,
        "List the keyspaces",
        list_keyspaces,
        answers={200: KeyspaceList},
    ),
    Operation(
        "GET",
        "/audience/sections",
        None,
        "List the sections",
        list_sections,
        answers={200: SectionList},
    ),
)
