"""The page of one event: its versions, its snippet, trying it out, and where it is installed."""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote, urlencode

from starlette.responses import Response

from tracker.actions import comparing, installed, looking, trying
from tracker.actions.comparing import Comparison
from tracker.actions.refusals import NoSuchVersionError
from tracker.pages import charts, found
from tracker.pages.page import Page
from tracker.pages.visit import MissingError, Visit
from tracker.rules import told
from tracker.rules.accounts import Role
from tracker.rules.definitions import current_version, deprecated_at
from tracker.rules.diffs import Change
from tracker.rules.edits import locked
from tracker.rules.moments import in_words
from tracker.snippets import forms, publishing, tracking
from tracker.snippets.config import SnippetConfig
from tracker.snippets.forms import FORMS, FormName, Rendered
from tracker.snippets.texts import gzip_size
from tracker.snippets.tracking import BadNonceError, TrackingError
from tracker.stores import losses, recent_events, sections, snippets, trials
from tracker.stores.definitions import Definition, Version

EVENT = "/sections/{section}/events/{slug}"
NEWEST_VERSIONS = 4
FOLDED_FROM = 10
"""Fields of a version, or changes, that are shown; more of them unfold."""
MOST_TRIALS = 20
MOST_PAGES = 50
GLANCE = 50_000
"""Events of the installation that the page looks at by itself: a moment's work."""


NO_TRIALS: dict[str, object] = {"start": "", "place": "", "tried": [], "trying": trying}
"""What is shown of trials while Redis is away; who asks on begins with those that come then."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """A form of a snippet, as it is shown: what to paste, what to do with it, how large it is."""

    config: SnippetConfig
    form: FormName
    rendered: Rendered

    @property
    def usage(self) -> str:
        form = FORMS[self.form]
        return form.usage.format(slug=self.config.slug, suffix=form.suffix)

    @property
    def example(self) -> str:
        return forms.example(self.config, self.form)

    @property
    def size(self) -> str:
        text = self.rendered.text
        return f"{len(text.encode()):,} bytes, {gzip_size(text):,} gzipped"


@dataclass(frozen=True, slots=True)
class Shown:
    """A version as a card: its state, `at` or from when; what changed since the one before."""

    version: Version
    state: str
    at: datetime | None
    current: bool
    since: Comparison | None

    @property
    def changed(self) -> dict[str, list[Change]]:
        """What changed, by the id of the field."""
        found: dict[str, list[Change]] = {}
        for change in self.since.changes if self.since else ():
            found.setdefault(change.field_id, []).append(change)
        return found


def event_page(visit: Visit) -> Response:
    """`…?span=&by=&numbers=&form=&version=&nonce=&attributes=&after=&versions=&look=…`."""
    return shown(visit, found.event(visit))


def shown(visit: Visit, definition: Definition, *, unsure: bool = False) -> Response:
    """The page; `unsure` where it must be said that one is sure, to switch web tracking off."""
    choice = _Choice(visit, definition)
    now = visit.now
    lock = locked(definition.locked_until, now)
    if definition.web_tracking:
        # Whoever gets to see a snippet must not find a collector that does not know it.
        tracking.keep_scripts(visit.connection)
        visit.if_redis(lambda: publishing.keep_current(visit.connection, visit.redis))
    snippet = choice.snippet(visit, definition, test=False)
    test = choice.snippet(visit, definition, test=True)
    wrong = unsure or choice.wrong
    return visit.render(
        "event.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        {},
        event=definition,
        own=address(visit, definition),
        unsure=unsure,
        current=current_version(definition.versions, now),
        lock=lock,
        lock_words=in_words(lock, now) if lock else "",
        later=[
            (version, in_words(version.usable_from, now))
            for version in definition.versions
            if version.usable_from > now
        ],
        chart=charts.of_event(visit, definition),
        choice=choice,
        forms=FORMS,
        fold=FOLDED_FROM,
        snippet=snippet,
        test=test,
        **(visit.if_redis(lambda: _trials(visit, definition)) or NO_TRIALS),
        **_versions(visit, definition),
        keys=_keys(visit, definition),
        **_installed(visit, definition),
    )


class _Choice:
    """Which snippet is looked at; `link` leads to another choice, in the template.

    wrong: what is wrong with the nonce, once a snippet was asked for; it is shown without one then.
    """

    def __init__(self, visit: Visit, definition: Definition) -> None:
        asked = visit.get("form")
        self.form = next((one for one in FormName if one == asked), FormName.INLINE)
        self.version: Version | None = None
        if visit.get("version"):
            try:
                self.version = comparing.version(definition, visit.get("version"))
            except NoSuchVersionError as error:
                raise MissingError(str(error)) from None
        self.number = self.version.number if self.version else None
        self.attributes = bool(visit.get("attributes"))
        self.numbers = bool(visit.get("numbers"))
        self.nonce = visit.get("nonce").strip()
        self.wrong = ""
        self._own = address(visit, definition)
        self._asked = {name: values[-1] for name, values in visit.query.items()}

    def link(self, **changes: str) -> str:
        """This page with changes to its query; a part that is changed to "" is left out."""
        both = {**self._asked, **changes}
        query = urlencode({name: value for name, value in both.items() if value})
        return f"{self._own}?{query}"

    def snippet(self, visit: Visit, definition: Definition, *, test: bool) -> Pasted | str:
        """What is chosen, or why there is none."""
        if not definition.web_tracking:
            return "Web tracking is off, so there is no snippet."
        # Types name no address, so there is nothing in them to try out.
        form = FormName.INLINE if test and self.form == FormName.TYPES else self.form
        try:
            config = tracking.snippet_config(
                visit.connection,
                visit.settings,
                definition,
                visit.now,
                self.version,
                nonce=None if self.wrong else self.nonce or None,
                test=test,
                attributes=self.attributes,
            )
        except BadNonceError as error:
            self.wrong = str(error)
            return self.snippet(visit, definition, test=test)
        except TrackingError as error:
            return str(error)
        return Pasted(config, form, forms.render(config, form))


def _trials(visit: Visit, definition: Definition) -> dict[str, object]:
    """What came of test hits since the page was opened, or since `after`; the newest first."""
    start = visit.get("after")
    if not trials.is_place(start):
        start = trials.newest(visit.redis)
    came, place = trying.since(visit.connection, visit.redis, definition, start)
    tried = came[::-1][:MOST_TRIALS]
    return {"start": start, "place": place, "tried": tried, "trying": trying, "told": told}


def _versions(visit: Visit, definition: Definition) -> dict[str, object]:
    every = definition.versions
    shown = every if visit.get("versions") == "all" else every[:NEWEST_VERSIONS]
    current = current_version(every, visit.now)
    cards = [
        Shown(one, *_state(visit, one, every), one is current, _since(definition, one))
        for one in shown
    ]
    return {"versions": cards, "older": len(every) - len(shown)}


def _state(visit: Visit, version: Version, every: list[Version]) -> tuple[str, datetime | None]:
    if version.usable_from > visit.now:
        return "usable from", version.usable_from
    ended = deprecated_at(version, every, visit.now)
    return ("current", None) if ended is None else ("replaced", ended)


def _since(definition: Definition, version: Version) -> Comparison | None:
    if version is definition.versions[-1]:
        return None
    return comparing.diff(definition, new=version.public_id)


def _keys(visit: Visit, definition: Definition) -> list[tuple[object, str, datetime | None]]:
    usable_from = {one.number: one.usable_from for one in definition.versions}
    found = snippets.every(visit.connection, definition.id)
    keys = visit.if_redis(lambda: losses.counted(visit.redis, found)) or found
    return [
        (one, *tracking.standing(one, usable_from[one.version_number], visit.now)) for one in keys
    ]


def _installed(visit: Visit, definition: Definition) -> dict[str, object]:
    further = visit.get("look") == "further"
    most = recent_events.MOST if further else GLANCE
    with looking.far(visit.connection) if further else nullcontext():
        pages = installed.pages(visit.connection, definition, now=visit.now, most=most)
    return {
        "installed": pages,
        "uses": pages.pages[:MOST_PAGES],
        "further": further,
        "option": sections.option(visit.connection, definition.section_id),
    }


def trials_part(visit: Visit) -> Response:
    """`…/trials?after=…`: what came of test hits since then, for the page that waits for them."""
    return visit.part("trials.html", **_trials(visit, found.event(visit)))


def address(visit: Visit, definition: Definition) -> str:
    """Of the event's page."""
    return f"{visit.root}/events/{quote(definition.slug)}"


PAGES = (
    Page("GET", EVENT, Role.VIEWER, event_page),
    Page("GET", EVENT + "/trials", Role.VIEWER, trials_part),
)
