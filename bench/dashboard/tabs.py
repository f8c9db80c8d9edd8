"""Chromium's tabs: when a page is first painted and can be used, and when it shows what was published."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from dashboard.screenshot import ARGUMENTS, CHROMIUM

FOREGROUND = [
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]
"""Each tab is as one that is looked at."""
WAIT_MS = 120_000
NAMED = "const named = name => Bokeh.documents[0]?.get_model_by_name(name)"
LAST = "const last = array => array === undefined || array.length === 0 ? null : array[array.length - 1]"
WORDS = "const words = name => (named(name)?.text ?? '').replace(/<[^>]+>/g, '')"
TEXT = f"{WORDS}; const text = (name, of) => [...words(name).matchAll(of)].map(one => one[1])"
USABLE = {
    "live": "named('price')?.renderers[0].data_source.get_length() > 0",
    "training": "named('loss')?.renderers[0].data_source.get_length() > 0 || named('runs_table')?.text.length > 0",
    "tuning": "named('history')?.renderers[0].data_source.get_length() > 0",
    "inspector": "named('headline')?.text.length > 0",
    "analytics": "named('skill')?.renderers.some(one => one.name && one.data_source.get_length() > 0)",
    "overview": "named('symbol_table')?.source.get_length() > 0",
    "ops": "named('groups')?.text.length > 0 && !named('groups').text.includes('Reading…')",
}
"""By page, what is true once its chart (or its first card) has data."""
PAINTED = """
const waiting = setInterval(() => {
  const state = document.body?.dataset.state
  if (state === undefined || state === "connecting" || state === "blank" || !usable()) return
  clearInterval(waiting)
  requestAnimationFrame(() => requestAnimationFrame(() => { window.usable_ms = performance.now() }))
}, 10)
"""
TASKS = """
window.longest_ms = 0
new PerformanceObserver(tasks => {
  for (const one of tasks.getEntries()) window.longest_ms = Math.max(window.longest_ms, one.duration)
}).observe({entryTypes: ["longtask"]})
"""
SETTLED_MS = 5_000
"""By then after it can be used, a page has drawn all that it has."""
WATCH = """
window.seen = []
let before = mark()
window.watching = setInterval(() => {
  const now = mark()
  if (now === null || now === undefined || now === before) return
  before = now
  requestAnimationFrame(() => requestAnimationFrame(() => window.seen.push([now, Date.now() / 1000])))
}, 10)
"""


class Shown(NamedTuple):
    """A tab: its page and the address' query, and by kind of what is published the mark that it shows (JavaScript)."""

    page: str
    query: str
    kind: str
    mark: str


BAR = "last(named('price')?.renderers[0].data_source.data.time)"
SCORED = "Date.parse(text('badge', /up to (\\d+ \\w+ \\d+ [\\d:]+ UTC)/g)[0] ?? '') || null"


def shown(symbols: Sequence[str], count: int) -> list[Shown]:
    """Return so many tabs: every page, then more of the live one with other symbols."""
    live = [Shown("live", f"symbol={symbol}", f"bar {symbol}", BAR) for symbol in symbols[:4]]
    others = [
        Shown("ops", "", "alert", "Math.max(...text('alerts', /mark (\\d+)\\./g).map(Number), 0)"),
        Shown("tuning", "", "trial", "last(Array.from(named('history')?.renderers[0].data_source.data.number ?? []))"),
        Shown("analytics", "", "scored", SCORED),
        Shown("training", "", "log", "Math.max(...text('log', /epoch (\\d+) of/g).map(Number), 0)"),
        Shown("inspector", "", "", "null"),
        Shown(
            "training", "theme=dark", "curve", "last(Array.from(named('loss')?.renderers[0].data_source.data.x ?? []))"
        ),
    ]
    tabs = [live[0], *others[:5], *live[1:], others[5]]
    return tabs[:count]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *FOREGROUND])
        yield browser
        browser.close()


def _context(browser: Browser) -> BrowserContext:
    return browser.new_context(viewport={"width": 1440, "height": 900})


class Opening(NamedTuple):
    """When a page was first painted, when it could be used, and the longest that it did not answer [ms]."""

    first_paint: float
    usable: float
    longest_task: float


def opening(browser: Browser, address: str, page: str) -> Opening:
    """Open a page in a browser that has kept nothing."""
    context = _context(browser)
    tab = context.new_page()
    tab.add_init_script(f"{NAMED}; const usable = () => {{ {LAST}; {TEXT}; return {USABLE[page]} }}; {PAINTED}")
    tab.add_init_script(TASKS)
    tab.goto(f"{address}/{page}")
    tab.wait_for_function("window.usable_ms !== undefined", timeout=WAIT_MS)
    first = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? window.usable_ms")
    usable = tab.evaluate("window.usable_ms")
    tab.wait_for_timeout(SETTLED_MS)
    longest = tab.evaluate("window.longest_ms")
    context.close()
    return Opening(float(first), float(usable), float(longest))


class Tab:
    """An open tab that notes when it shows something new."""

    def __init__(self, browser: Browser, address: str, shown: Shown) -> None:
        self._shown, self._context = shown, _context(browser)
        self._page = self._context.new_page()
        self._page.goto(f"{address}/{shown.page}?{shown.query}")
        self._page.wait_for_function("!['connecting', 'blank'].includes(document.body.dataset.state)", timeout=WAIT_MS)

    def watch(self) -> None:
        """Begin to note what is new."""
        self._page.evaluate(f"() => {{ {NAMED}; {LAST}; {TEXT}; const mark = () => {self._shown.mark}; {WATCH} }}")

    def seen(self) -> list[tuple[float, float]]:
        """Return the marks that were seen, and when [epoch s]."""
        return [(mark, at) for mark, at in self._page.evaluate("window.seen")]

    def wait(self, seconds: float) -> None:
        """Let it work."""
        self._page.wait_for_timeout(1_000 * seconds)

    def close(self) -> None:
        """Close it."""
        self._context.close()
