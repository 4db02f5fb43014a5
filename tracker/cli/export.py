"""`pintag profile export`: all that is known of a person, as NDJSON."""

import sys
from contextlib import nullcontext
from datetime import UTC, datetime

from tracker.actions import exporting
from tracker.cli.erasure import KeyArgument, KeyspaceOption, named
from tracker.cli.store import SectionOption, UsageError
from tracker.cli.store import stores as opened
from tracker.cli.waiting import wait
from tracker.stores import exports
from tracker.stores.exports import EndedError


def export(
    key: KeyArgument, keyspace: KeyspaceOption = "web", section: SectionOption = None
) -> None:
    """Print all that is known of a profile, a line of JSON each; hidden and rejected things too."""
    with opened() as stores:
        section_id = stores.section(section).id
        identity = stores.identity(keyspace, key)
        now = datetime.now(UTC)
        asked = exporting.ask(
            stores.database,
            stores.redis,
            section_id,
            identity,
            now,
            note=lambda id_: stores.note("exported a profile", id_, section_id),
        )
        if asked is None:
            raise UsageError(f"No profile has {named(identity)}.")
        useless = "There is no export without a jobs process, and none is running."
        try:
            lines = wait(asked.job, "the export", "exporting", useless=useless)
            if not lines:
                raise EndedError
            for part in exports.parts(lambda: nullcontext(stores.database), asked.id):
                sys.stdout.write(part)
        except EndedError:
            problem = "The export ended early: the person was erased meanwhile."
            raise UsageError(problem) from None
        finally:
            exports.end(stores.database, asked.id)
