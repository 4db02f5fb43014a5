"""What the inline snippet costs a page's main thread, beside doing it by hand.

Every figure has its reference in the same round: a script of as many bytes that does nothing; one
write to the storage and one request with the same hits, by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import BrowserContext, CDPSession, Page

from benchmarks.figures import Report
from benchmarks.measure_sizes import SAMPLE
from benchmarks.snippet_page import snippet_page
from benchmarks.stack import BenchmarkError
from tests.browser.chromium import chromium

THROTTLES = {"": 1, ", CPU/4": 4}
"""What is added to a row's name, and how many times slower Chromium makes the processor."""
_LOADS = 15
_PAGES = {"evaluate": "/snippet", "evaluate, storage in use": "/storage-in-use"}
"""In Chromium a page's first look into its storage takes longer than all the rest."""
_CALLS = 40
_SENDS = {1: 15, 100: 5}
"""Hits that are sent at once, and how often in a round."""

_CALL = f"pintag('{SAMPLE.slug}', {{stage: 'confirmed', price: '12.50', seats: 2, member: true}})"
_FUNCTIONS = f"""
const spent = (action) => {{
  const since = performance.now()
  action()
  return 1e3 * (performance.now() - since)
}}
// The lock is free when all is sent; the timer is behind the runtime's own.
const settled = async () => {{
  await new Promise((done) => setTimeout(done))
  await navigator.locks.request('pintag', () => {{}})
}}
const call = () => {_CALL}
const hit = () => {{
  call()
  const key = Object.keys(localStorage).find((key) => key.startsWith('pintag.h.'))
  return localStorage[key]
}}
const body = (hits) => `{{"sent":${{Date.now()}},"lost":0,"hits":[${{hits}}]}}`
const post = (hits) => fetch(ADDRESS, {{ method: 'POST', body: body(hits), keepalive: true }})
const several = (count, action) => {{
  for (let n = 0; n < count; n++) action(n)
}}
const byHand = async (text, count) => {{
  several(count, (n) => localStorage.setItem('hand.' + n, text))
  await post(Array(count).fill(text))
  several(count, (n) => localStorage.removeItem('hand.' + n))
}}
"""
_CALLS_EACH = """async (count) => {
  const text = hit()
  await settled()
  const [ours, theirs] = [[], []]
  for (let n = 0; n < count; n++) {
    ours.push(spent(call))
    await settled()
    let request
    theirs.push(spent(() => { localStorage.setItem('hand', text); request = post([text]) }))
    await request
    localStorage.removeItem('hand')
  }
  return [ours, theirs]
}"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Microseconds of the snippet and of its reference."""

    ours: float
    reference: float

    @property
    def figures(self) -> dict[str, float]:
        return {
            "snippet_us": self.ours,
            "reference_us": self.reference,
            "ratio": self.ours / self.reference,
        }


def measure(report: Report, rounds: int) -> None:
    """Rounds of all rows by turns. Raises BenchmarkError if a hit did not arrive."""
    with snippet_page(_FUNCTIONS) as site, chromium() as browser:
        for _ in range(rounds):
            for suffix, rate in THROTTLES.items():
                context = browser.new_context()
                page, devtools = _opened(context, rate)
                for row, path in _PAGES.items():
                    report.add(f"{row}{suffix}", _evaluate(page, site.address, path).figures)
                page.goto(site.address)
                report.add(f"a call{suffix}", _call(page).figures)
                for hits, times in _SENDS.items():
                    pair = _send(page, devtools, hits, times)
                    report.add(f"send {hits}{suffix}", pair.figures)
                context.close()
    sent = 1 + 2 * _CALLS + sum(1 + 2 * hits * times for hits, times in _SENDS.items())
    if site.hits != rounds * len(THROTTLES) * sent:
        raise BenchmarkError(f"The pages sent {rounds * len(THROTTLES) * sent}; {site.hits} came.")


def _opened(context: BrowserContext, rate: int) -> tuple[Page, CDPSession]:
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    devtools.send("Performance.enable")
    return page, devtools


def _evaluate(page: Page, site: str, path: str) -> Pair:
    """From the end of the script before it to the start of the one after, in new documents."""

    def load(path: str) -> float:
        page.goto(site + path)
        return 1e3 * float(page.evaluate("after - before"))

    samples = [(load(path), load("/empty")) for _ in range(_LOADS)]
    return Pair(median(ours for ours, _ in samples), median(empty for _, empty in samples))


def _call(page: Page) -> Pair:
    """The call itself: what it leaves for later is in the sending."""
    ours, reference = page.evaluate(_CALLS_EACH, _CALLS)
    return Pair(median(ours), median(reference))


def _send(page: Page, devtools: CDPSession, hits: int, times: int) -> Pair:
    """All main-thread tasks from the calls until the answer is dealt with, less an idle page's."""
    text = page.evaluate("hit()")
    page.evaluate("settled()")

    def tasks(action: str) -> float:
        samples = [_tasks(devtools, lambda: page.evaluate(action, text)) for _ in range(times)]
        return median(samples)

    idle = tasks("settled()")
    ours = tasks(f"(several({hits}, call), settled())")
    reference = tasks(f"async (text) => {{ await byHand(text, {hits}); await settled() }}")
    return Pair(ours - idle, reference - idle)


def _tasks(devtools: CDPSession, action: Callable[[], object]) -> float:
    before = _task_us(devtools)
    action()
    return _task_us(devtools) - before


def _task_us(devtools: CDPSession) -> float:
    """Microseconds that the main thread has worked so far."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(1e6 * float(one["value"]) for one in metrics if one["name"] == "TaskDuration")
