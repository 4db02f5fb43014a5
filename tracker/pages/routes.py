"""All pages. Where two paths fit, the first one serves."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from tracker.pages import (
    accounts,
    clients,
    data_model,
    demo,
    event,
    event_form,
    event_hiding,
    event_rights,
    event_tracking,
    home,
    jobs,
    live,
    log,
    operations,
    password,
    people,
    persons,
    profiles,
    quarantine,
    section_rules,
    sign_in,
)
from tracker.pages.page import Page
from tracker.pages.shell import HERE

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *home.PAGES,
    *demo.PAGES,
    *data_model.PAGES,
    *event_form.PAGES,
    *event_rights.PAGES,
    *event_hiding.PAGES,
    *event.PAGES,
    *event_tracking.PAGES,
    *quarantine.PAGES,
    *live.PAGES,
    *jobs.PAGES,
    *log.PAGES,
    *operations.PAGES,
    *accounts.PAGES,
    *people.PAGES,
    *section_rules.PAGES,
    *clients.PAGES,
    *password.PAGES,
    *persons.PAGES,
    *profiles.PAGES,
)
ROUTES: tuple[BaseRoute, ...] = (
    *(page.route for page in PAGES),
    # Pages aren't compressed: they hold secrets beside what strangers sent, and lengths tell.
    Mount("/static", GZipMiddleware(StaticFiles(directory=HERE / "static"))),
)
