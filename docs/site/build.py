"""Builds the documentation's site: `python docs/site/build.py [FOLDER]`, by default into dist/site.

The pages are those of the repository, whose links go on working there: README, CONTRIBUTING and the others are copied
beside those of docs, and their links are set right. It fails on a link to nothing, on a page that is not in the menu,
and on whatever Zensical warns of.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OWN = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "SECURITY.md": "SECURITY.md",
    "CODE_OF_CONDUCT.md": "CODE_OF_CONDUCT.md",
    "sample/README.md": "sample.md",
}
"""The pages outside docs, and their places on the site."""
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)


class SiteError(Exception):
    """The site cannot be built; the message says where and why."""


def pages(root: Path = ROOT) -> dict[str, str]:
    """Return the place on the site of each page of the repository."""
    below = [path.relative_to(root).as_posix() for path in sorted((root / "docs").rglob("*"))]
    written = {name: name.removeprefix("docs/") for name in below if name.endswith(".md")}
    notebooks = {name: name.removeprefix("docs/")[: -len("ipynb")] + "md" for name in below if name.endswith(".ipynb")}
    return {**OWN, **written, **notebooks}


def menu(config: str) -> list[str]:
    """Return the pages that the menu names."""
    return re.findall(r"^ +- .+: (\S+\.md)$", config.partition("\nnav:\n")[2], re.MULTILINE)


def stage(folder: Path, root: Path = ROOT) -> None:
    """Lay the pages, and the files that they link, into `folder`/pages. Raises SiteError for a link to nothing."""
    places = pages(root)
    results = folder / "pages"
    linked: set[str] = set()
    for name, place in places.items():
        text = (root / name).read_text(encoding="utf-8")
        if name.endswith(".ipynb"):
            text = as_markdown(json.loads(text))
        path = results / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(with_links(text, name, places, linked, root), encoding="utf-8")
    for name in linked:
        path = results / name.removeprefix("docs/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, path)
    for name in ("mkdocs.yml", "site.css", "favicon.svg"):
        target = {"mkdocs.yml": folder / name, "site.css": results / name}.get(name, results / "images" / name)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(HERE / name, target)


def with_links(text: str, name: str, places: dict[str, str], linked: set[str], root: Path = ROOT) -> str:
    """Return a page with its links as they are on the site, and add the files that it links and that are no pages."""

    def moved(link: re.Match[str]) -> str:
        target, mark, anchor = link[2].partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return link[0]
        path = os.path.normpath(Path(name).parent / target)
        if path not in places:
            if not (root / path).is_file():
                raise SiteError(f"{name}: {link[2]} is not there")
            linked.add(path)
        place = places.get(path, path.removeprefix("docs/"))
        return f"{link[1]}{os.path.relpath(place, Path(places[name]).parent)}{mark}{anchor}{link[3]}"

    parts = CODE.split(text)
    return "".join(part if number % 2 else LINK.sub(moved, part) for number, part in enumerate(parts))


def as_markdown(notebook: dict[str, Any]) -> str:
    """Return a notebook as a page: its texts, its code, and what it printed."""

    def parts() -> Iterator[str]:
        for cell in notebook["cells"]:
            source = "".join(cell["source"])
            yield source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"
            for output in cell.get("outputs", ()):
                yield f"```text\n{''.join(output['text'])}```"

    return "\n\n".join(parts()) + "\n"


def build(target: Path) -> None:
    """Build the site into `target`, whose contents are replaced. Raises SiteError."""
    config = (HERE / "mkdocs.yml").read_text(encoding="utf-8")
    wrong = sorted(set(menu(config)) ^ set(pages().values()))
    if wrong:
        raise SiteError(f"the menu of docs/site/mkdocs.yml and the pages differ: {', '.join(wrong)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage(folder)
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise SiteError(f"Zensical refuses the pages, or is not installed:\n{words(done.stdout + done.stderr)}")
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(folder / "site", target)


def words(said: str) -> str:
    """Return what Zensical said, without colours; without the traceback with which it ends where it warned."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", said)
    before, _, after = plain.partition("Traceback (most recent call last)")
    return before.strip() if "Warning" in before else f"{before}{after}".strip()


if __name__ == "__main__":
    try:
        build(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist" / "site"))
    except SiteError as error:
        sys.exit(f"build.py: {error}")
