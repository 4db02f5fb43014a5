"""The forms of a snippet: one event, ready for wherever it is to be sent from."""

from enum import StrEnum

from tracker.snippets.config import SnippetConfig
from tracker.snippets.forms import pages
from tracker.snippets.forms.form import Form
from tracker.snippets.forms.form import Rendered as Rendered


class FormName(StrEnum):
    """What people call the forms; FORMS says what each is."""

    INLINE = "inline"
    HOSTED = "hosted"
    EVENT = "event"


_PASTE = "Paste it once a page, then call: pintag('{slug}', {{…}})"
FORMS = {
    FormName.INLINE: Form("html", "one script, which needs nothing else", _PASTE, pages.inline),
    FormName.HOSTED: Form(
        "html", "a line, and a script that all events share", _PASTE, pages.hosted
    ),
    FormName.EVENT: Form("html", "another event on a page that has a snippet", _PASTE, pages.event),
}


def render(config: SnippetConfig, form: FormName) -> Rendered:
    """A form of a snippet, ready to paste."""
    return FORMS[form].render(config)
