"""Agents: what a User-Agent header says of who sends, and the little of it that is kept.

Two lists that others maintain are asked: `crawler-user-agents` knows bots, `ua-parser` browsers and
systems. Its engine runs both: anybody can send a new header with each hit, which must not cost
more than storing one. What was found is remembered for the newest few thousand.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

import ua_parser
from ua_parser import Domain
from ua_parser.matchers import UserAgentMatcher

MOST_KEPT = 80
"""Characters of a kept agent; known browsers need a third of that."""
_REMEMBERED = 4_096
_NO_BOTS = {"http-library", "browser-automation"}
"""Tags of the list: servers send hits by libraries, and people try their pages by real browsers."""
# By a word, or where people's browsers are never said to be: at an address.
_GIVES_ITSELF_AWAY = re.compile(
    r"bot|crawl|spider|slurp|google-|googleother|mediapartners|fetcher|externalhit|whatsapp|preview"
    r"|scan|monitor|check|uptime|synthetic|lighthouse|gtmetrix|ptst/|pingdom"
    r"|^mozilla/.*(?:https?:|www\.|compatible;(?! msie))",
    re.IGNORECASE | re.DOTALL,
)


class Agent(NamedTuple):
    """Whether it is a known bot, and what is kept of it: "Chrome 142 on Windows", or nothing."""

    is_bot: bool
    kept: str | None


@lru_cache(_REMEMBERED)
def read(header: str) -> Agent:
    """What a User-Agent header says; it may be empty, or anything."""
    return Agent(_is_bot(header), _reduced(header))


def load() -> None:
    """Read both lists, which takes a fifth of a second, before there are hits."""
    read("bot")


def _is_bot(header: str) -> bool:
    """Whether the header is on the list of bots, and gives itself away as one.

    The list alone is not enough: it has apps in which people look at pages, a phone's build number,
    the proxies through which people see a mail's images, and services that send hits.
    """
    return bool(_GIVES_ITSELF_AWAY.search(header)) and bool(_bots().parse_user_agent(header))


@cache
def _bots() -> ua_parser.Parser:
    # Here, as it reads half a megabyte.
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]

    patterns = [o["pattern"] for o in CRAWLER_USER_AGENTS_DATA if _NO_BOTS.isdisjoint(o["tags"])]
    return ua_parser.Parser.from_matchers(([UserAgentMatcher(p, "bot") for p in patterns], [], []))


def _reduced(header: str) -> str | None:
    """Browser, its major version and system, as far as they are known."""
    found = ua_parser.parser(header, Domain.USER_AGENT | Domain.OS)
    browser = found.user_agent.family if found.user_agent else ""
    if found.user_agent and found.user_agent.major:
        browser += f" {found.user_agent.major}"
    text = " on ".join(part for part in (browser, found.os.family if found.os else "") if part)
    # Some names are parts of the header, which may hold what no store takes.
    return "".join(c for c in text if c.isprintable())[:MOST_KEPT] or None
