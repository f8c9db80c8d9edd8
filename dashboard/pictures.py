"""Pictures of every page in both themes and three widths: ``python -m dashboard.pictures URL FOLDER``.

They are for docs/images: 256 colours are enough for a page, and a third of the size.
"""

import argparse
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from dashboard.palette import PALETTES
from dashboard.screenshot import ARGUMENTS, CHROMIUM
from dashboard.site import PAGES, SUBPAGES

SIZES = ((1440, 900), (768, 1024), (360, 780))
"""Widths and heights in CSS pixels: a desktop's, a tablet's, a phone's."""
SETTLE_MS = 6_000
COLOURS = 256
METHOD = Image.Quantize.MAXCOVERAGE
"""The usual one gives lines, which have few pixels, the colour of something else."""


def picture(browser: Browser, url: str, path: Path, theme: str, size: tuple[int, int]) -> None:
    """Save what is seen of a page once it has drawn, as PNG."""
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(f"{url}?theme={theme}")
    page.wait_for_function("document.body.dataset.state !== 'connecting'")
    page.wait_for_timeout(SETTLE_MS)
    with Image.open(BytesIO(page.screenshot())) as seen:
        seen.convert("RGB").quantize(COLOURS, METHOD).save(path, optimize=True)
    page.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.pictures", description="Picture every page.")
    parser.add_argument("url", help="where the dashboard is, such as http://127.0.0.1:5006")
    parser.add_argument("folder", type=Path)
    names = [page.name for page in (*PAGES, *SUBPAGES)]
    parser.add_argument("--page", action="append", choices=names, help="this page only; may be repeated")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name in options.page or names:
            for theme in PALETTES:
                for size in SIZES:
                    path = options.folder / f"{name}-{theme}-{size[0]}.png"
                    picture(browser, f"{options.url.rstrip('/')}/{name}", path, theme, size)
        browser.close()


if __name__ == "__main__":
    main()
