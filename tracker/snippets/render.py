"""Rendering snippets, in one place for those who use it: pure functions from a configuration.

What a marketer typed (event names, sources) ends up in the pages of others, so nothing that
goes into a form can leave its place there: see texts.py.
"""

from tracker.snippets.code import Script as Script
from tracker.snippets.code import hosted_script as hosted_script
from tracker.snippets.code import hosted_scripts as hosted_scripts
from tracker.snippets.config import VISITOR_DAYS as VISITOR_DAYS
from tracker.snippets.config import SnippetConfig as SnippetConfig
from tracker.snippets.forms import pages
from tracker.snippets.texts import gzip_size as gzip_size
from tracker.snippets.texts import json_hole as json_hole


def render_inline(config: SnippetConfig) -> str:
    """One script to paste, which needs nothing else."""
    return pages.inline(config).text


def render_hosted(config: SnippetConfig) -> str:
    """A registration, and the tag that loads the hosted script."""
    return pages.hosted(config).text


def render_event(config: SnippetConfig) -> str:
    """Another event on a page that has a snippet."""
    return pages.event(config).text
