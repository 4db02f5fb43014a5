"""Jobs of a section, as they go on: replays, exports, erasures; replays of no section's hits."""

from collections.abc import Iterator

from starlette.responses import Response, StreamingResponse

from tracker.actions import following
from tracker.pages import shell
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules.accounts import Role
from tracker.stores import exports, jobs
from tracker.stores.database import Connect
from tracker.stores.exports import EndedError

NDJSON = "application/x-ndjson"


def job_page(visit: Visit) -> Response:
    """`…/jobs/<id>`: how far a job is, and in the end what came of it. It loads itself again."""
    job = following.follow(
        visit.connection, visit.redis, visit.section_id, visit.path["id"], visit.now
    )
    if job is None:
        raise MissingError("There is no such job here. What came of a job is kept for a day.")
    stands = job.goes_on and not jobs.processes(visit.redis)
    return visit.render("job.html", job=job, stands=stands)


def download(visit: Visit) -> Response:
    """`…/exports/<id>`: the lines of an export, as a file."""
    id_ = visit.path["id"]
    job = following.follow(
        visit.connection, visit.redis, visit.section.id, f"export-{id_}", visit.now
    )
    if job is None or not job.export:
        raise MissingError("There is no such export here, or it is not there any more.")
    visit.note("fetched the export of a profile", id_)
    headers = {**shell.HEADERS, "Content-Disposition": f'attachment; filename="{id_}.ndjson"'}
    lines = _lines(visit.borrowed.connect, id_)
    return StreamingResponse(lines, headers=headers, media_type=NDJSON)


def _lines(connect: Connect, id_: str) -> Iterator[bytes]:
    """The parts. If the export ends meanwhile, the download breaks off and fails."""
    try:
        for part in exports.parts(connect, id_):
            yield part.encode()
    except EndedError:
        raise ConnectionError("the export ended while it was fetched") from None


PAGES = (
    Page("GET", "/sections/{section}/jobs/{id}", Role.VIEWER, job_page),
    Page("GET", "/jobs/{id}", Role.VIEWER, job_page, everywhere=True),
    Page("GET", "/sections/{section}/exports/{id}", Role.OWNER, download),
)
