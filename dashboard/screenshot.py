"""A picture of the dashboard: ``python -m dashboard.screenshot URL FILE.png --theme dark``."""

import argparse
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from stack import system

CHROMIUM = system.chromium()
"""The machine's Chromium; None is Playwright's own."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTLE_MS = 2_500


def shoot(url: str, path: Path, theme: str, size: ViewportSize) -> None:
    """Open the page in Chromium, wait until it has drawn, and save what is seen as PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport=size, color_scheme="dark" if theme == "dark" else "light")
        page.goto(url)
        page.wait_for_function("document.body.dataset.state !== 'connecting'")
        page.wait_for_timeout(SETTLE_MS)
        page.screenshot(path=path)
        browser.close()


def main() -> None:
    """Take the picture that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.screenshot", description="Picture the dashboard.")
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="the system's theme")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    options = parser.parse_args()
    shoot(options.url, options.out, options.theme, {"width": options.width, "height": options.height})


if __name__ == "__main__":
    main()
