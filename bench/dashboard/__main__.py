"""The dashboard under load: `python -m bench.dashboard [--minutes 20] [--browsers 10] [--sessions 200] [--save]`.

Starts a stack of its own in a folder that is removed afterwards, with days of minutes stored, and measures its
dashboard: openings of every page by Chromium with an empty cache; viewers on all pages while every symbol has a bar a
second; and sessions that are opened, used and closed. Latency is from Kafka's confirmation, or from the commit, to the
second frame that Chromium draws after it; the clocks are one. A tab of Chromium is on each page in its turn, beside
viewers that take all that is sent and draw nothing: ten browsers would draw on the two cores of the server.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.dashboard import sessions, stored
from bench.dashboard.figures import delays, growth_percent, quantiles
from bench.dashboard.records import MINUTE_MS
from bench.dashboard.server_watch import ServerWatch, process
from bench.dashboard.tabs import Tab, chromium, opening, shown
from bench.replay import running
from bench.report import save
from settings import ADDRESSES, ROOT, Settings

NAMES = ("kafka", "postgres", "redis", "prepare", "train", "mlflow", "persist", "dashboard")
FREELY = {"FORETICK_DASHBOARD_RATE": "1000", "FORETICK_DASHBOARD_BURST": "1000", "FORETICK_DASHBOARD_PAGES": "1000"}
"""The guard would slow the sessions down."""
LEAD_S = 8.0
"""A tab is watched from so long after its opening on."""
FORGOTTEN_S = 30.0
"""By then the server has discarded the sessions that were closed."""
ROUNDS = 10
"""Every page is used so often before sessions are counted (docs/why.md)."""
EARLY = 2
"""The growth since so many rounds is told too: it has what is filled once in it."""
LOG = 4_000
"""So many characters of the dashboard's log are shown where something fails."""
SCORED = 15
"""Analytics shows the forecasts of so many bars ahead."""


def openings(address: str, server: ServerWatch, times: int) -> dict[str, object]:
    """Open every page several times in browsers that have kept nothing."""
    figures: dict[str, object] = {}
    with chromium() as browser:
        for page in sessions.names():
            opening(browser, address, page)  # the first reads the database for all that follow
            before = server.cpu()[0]
            taken = [opening(browser, address, page) for _ in range(times)]
            figures[page] = {
                "first_paint_s": quantiles([one.first_paint / 1_000 for one in taken]),
                "usable_s": quantiles([one.usable / 1_000 for one in taken]),
                "longest_task_s": quantiles([one.longest_task / 1_000 for one in taken]),
                "server_cpu_s_each": round((server.cpu()[0] - before) / times, 2),
            }
    return figures


def published(lines: Sequence[str]) -> Mapping[str, dict[float, float]]:
    """Return by kind when each mark was published; `scored` are the forecasts that came true with the first bar."""
    result: defaultdict[str, dict[float, float]] = defaultdict(dict)
    for line in lines:
        kind, mark, at = json.loads(line)
        result[kind][mark] = at
        if kind.startswith("bar "):
            scored = result["scored"]
            scored[mark - SCORED * MINUTE_MS] = min(at, scored.get(mark - SCORED * MINUTE_MS, at))
    return result


def load(address: str, home: Path, symbols: list[str], options: argparse.Namespace) -> dict[str, object]:
    """Let bars come while pages are open; return CPU, memory, and how late the tab on each was."""
    out, seconds = home / "published.jsonl", 60 * options.minutes
    first = str(stored.first_minute(options.days))
    server = ServerWatch(process(home))
    wanted = shown(symbols, options.browsers)
    publish = ["publisher", home, str(seconds), first, out, *symbols]
    look = ["viewers", address, str(seconds), *(f"{one.page}?{one.query}" for one in wanted)]
    seen: dict[str, list[tuple[float, float]]] = {}
    with chromium() as browser, _started(publish) as publisher, _started(look) as viewers, server.sampling():
        begun = time.monotonic()
        for number, one in enumerate(wanted, 1):
            tab = Tab(browser, address, one)
            tab.wait(LEAD_S)
            tab.watch()
            tab.wait(max(begun + seconds * number / len(wanted) - time.monotonic(), 0.0))
            if one.kind:
                seen[one.kind] = tab.seen()
            tab.close()
        if publisher.wait() != 0 or viewers.wait() != 0:
            raise SystemExit("the publisher or the viewers failed")
    told = published(out.read_text().splitlines())
    late: dict[str, object] = {}
    for kind, marks in seen.items():
        late[f"{kind}_to_browser_s"] = quantiles(delays(told[kind], marks)) | {"seen": len(marks)}
        if kind.startswith("bar "):
            commits = told[f"stored {kind.removeprefix('bar ')}"]
            late[f"{kind}_commit_to_browser_s"] = quantiles(delays(commits, marks))
    bars = sum(len(marks) for kind, marks in told.items() if kind.startswith("bar "))
    return {
        "bars_published_per_second": round(bars / seconds, 1),
        "server_cores": server.cores(),
        "memory": server.memory_figures(),
        "latency": late,
    }


def _started(words: Sequence[object]) -> "subprocess.Popen[bytes]":
    """Start a module of this package."""
    module, *arguments = map(str, words)
    return subprocess.Popen([sys.executable, "-m", f"bench.dashboard.{module}", *arguments], cwd=ROOT)


def many(address: str, home: Path, count: int) -> dict[str, object]:
    """Open, use and close sessions; return the memory before and after."""
    pages, server = sessions.names(), ServerWatch(process(home))
    warming = []
    for _ in range(ROUNDS):
        for page in pages:
            sessions.use(address, page)
        warming.append(round(server.rss(), 1))
    time.sleep(FORGOTTEN_S)
    before, used, half = server.rss(), 0, 0.0
    begun, cpu = time.monotonic(), server.cpu()[0]
    for number in range(count):
        used += sessions.use(address, pages[number % len(pages)])
        if number == count // 2:
            half = server.rss()
    seconds, taken = time.monotonic() - begun, server.cpu()[0] - cpu
    time.sleep(FORGOTTEN_S)
    after = server.rss()
    return {
        "resident_by_round_of_warming_mib": warming,
        "sessions": count,
        "widgets_used": used,
        "seconds": round(seconds, 1),
        "server_cpu_s_each": round(taken / count, 2),
        "resident_mib": {"before": round(before, 1), "half_way": round(half, 1), "after": round(after, 1)},
        "growth_after_warming_percent": growth_percent(before, after),
        f"growth_since_round_{EARLY}_percent": growth_percent(warming[EARLY - 1], after),
    }


def measure(home: Path, options: argparse.Namespace) -> dict[str, object]:
    """Return all figures."""
    with running(home, NAMES, FREELY):
        places = json.loads((home / ADDRESSES).read_text())
        address = f"http://127.0.0.1:{places['dashboard_port']}"
        begun = time.perf_counter()
        symbols = stored.store(Settings(home=home), options.symbols, options.days)
        filled = round(time.perf_counter() - begun)
        told = {"symbols": options.symbols, "days_stored": options.days, "browsers": options.browsers}
        figures: dict[str, object] = {**told, "minutes": options.minutes, "filled_in_seconds": filled}
        steps = {
            "openings": lambda: openings(address, ServerWatch(process(home)), options.openings),
            "load": lambda: load(address, home, symbols, options),
            "sessions": lambda: many(address, home, options.sessions),
        }
        for name in options.only or steps:
            try:
                figures[name] = steps[name]()
            except BaseException:
                print((home / "logs" / "dashboard.log").read_text()[-LOG:], file=sys.stderr, flush=True)
                raise
            print(json.dumps({name: figures[name]}), flush=True)
        return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--openings", type=int, default=5, help="how often each page is opened")
    parser.add_argument("--browsers", type=int, default=10)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--only", action="append", choices=("openings", "load", "sessions"), help="a part of it")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="foretick-bench-"))
    try:
        figures = measure(home, options)
        print(json.dumps(figures, indent=2))
        if options.save:
            given = ("symbols", "days", "openings", "minutes", "browsers", "sessions")
            words = " ".join(f"--{name} {getattr(options, name):g}" for name in given)
            save("dashboard", f"python -m bench.dashboard {words}", figures)
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
