"""The forms of a snippet: one event, ready for wherever it is to be sent from."""

from enum import StrEnum

from tracker.snippets.config import SnippetConfig
from tracker.snippets.examples import object_of
from tracker.snippets.forms import modules, pages, pixels, servers, tag_manager
from tracker.snippets.forms.form import Form
from tracker.snippets.forms.form import Rendered as Rendered


class FormName(StrEnum):
    """What people call the forms; FORMS says what each is."""

    INLINE = "inline"
    HOSTED = "hosted"
    EVENT = "event"
    MODULE = "module"
    TYPES = "types"
    GTM = "gtm"
    PIXEL = "pixel"
    CURL = "curl"
    PYTHON = "python"


_PASTE = "Paste it once a page, then call: pintag('{slug}', {{…}})"
_CALL = "pintag('{slug}', "
_SAVE = "Save it as {slug}.{suffix}"
FORMS = {
    FormName.INLINE: Form(
        "Paste into the page",
        "html",
        "one script, which needs nothing else",
        _PASTE,
        pages.inline,
        _CALL,
    ),
    FormName.HOSTED: Form(
        "Short tag",
        "html",
        "a line, and a script that all events share",
        _PASTE,
        pages.hosted,
        _CALL,
    ),
    FormName.EVENT: Form(
        "Another event",
        "html",
        "another event of a page that has a snippet",
        _PASTE,
        pages.event,
        _CALL,
    ),
    FormName.MODULE: Form(
        "JavaScript module",
        "js",
        "an ES module, to import or bundle",
        _SAVE + ", then: import track from './{slug}.js'",
        modules.module,
        "track(",
    ),
    FormName.TYPES: Form(
        "TypeScript types",
        "d.ts",
        "the module's types, for TypeScript",
        _SAVE + " beside the module.",
        modules.types,
    ),
    FormName.GTM: Form(
        "Google Tag Manager",
        "tpl",
        "a template for Google Tag Manager",
        _SAVE + " and import it: Templates, New, the three dots.",
        tag_manager.gtm,
    ),
    FormName.PIXEL: Form(
        "Image, for mails",
        "html",
        "an image, for mails and pages without scripts",
        "Put values in the place of what is in capitals.",
        pixels.pixel,
    ),
    FormName.CURL: Form(
        "Shell",
        "sh",
        "a call from a server's shell",
        "Put in your values, then run it.",
        servers.curl,
    ),
    FormName.PYTHON: Form(
        "Python",
        "py",
        "a call from a server's Python",
        "Put in your values, then run it.",
        servers.python,
    ),
}


def render(config: SnippetConfig, form: FormName) -> Rendered:
    """A form of a snippet, ready to paste."""
    return FORMS[form].render(config)


def example(config: SnippetConfig, form: FormName) -> str:
    """A whole call for whoever has pasted the form; "" where the form itself has one."""
    begins = FORMS[form].call.format(slug=config.slug)
    return f"{begins}{object_of(config)})" if begins else ""
