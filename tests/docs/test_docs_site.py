"""The documentation's site builds strictly, each link and anchor of it leads somewhere, and it loads nothing else."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from documented import PAGES, documented_lines

from cli.reference.rest import document
from settings import ROOT


def loaded() -> ModuleType:
    """Return docs/site/build.py, which is a program and in no package."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs/site/build.py")
    assert spec is not None
    assert spec.loader is not None
    result = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(result)
    return result


build = loaded()


class Page(HTMLParser):
    """What a page of HTML refers to, what of it is loaded with it, and the anchors that it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element's addresses and anchors."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        loaded = {given[name] for name in ("src", "srcset", "poster", "data") if name in given}
        if tag == "link" and given.get("rel") not in ("next", "prev", "canonical"):
            loaded.add(given["href"])
        elif "href" in given:
            self.links.add(given["href"])
        self.loads |= loaded
        self.links |= loaded


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: a SiteError with Zensical's words fails every test here."""
    result = tmp_path_factory.mktemp("docs") / "site"
    build.build(result)
    return result


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}


def elsewhere(address: str) -> bool:
    return bool(urlsplit(address).scheme or urlsplit(address).netloc)


def dead(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    """Return whether a link of a page leads to no file, or to no anchor of the page that it leads to."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    return bool(parts.fragment) and target in pages and unquote(parts.fragment) not in pages[target].anchors


@pytest.mark.slow
def test_every_page_is_built(site: Path, pages: dict[Path, Page]) -> None:
    made = {path.relative_to(site).as_posix() for path in pages}
    assert made == {place.removesuffix(".md") + ".html" for place in build.pages().values()}
    assert len(made) > 30


@pytest.mark.slow
def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    links = [(path, link) for path, page in pages.items() for link in sorted(page.links) if not elsewhere(link)]
    assert len(links) > 1_000
    assert [(path.relative_to(site), link) for path, link in links if dead(path, link, pages)] == []


@pytest.mark.slow
def test_a_dead_link_is_found(site: Path, pages: dict[Path, Page]) -> None:
    path = site / "alerts.html"
    assert not dead(path, "#mutes", pages)
    assert not dead(path, "howto/csv.html", pages)
    assert dead(path, "#mute", pages)
    assert dead(path, "howto/none.html", pages)
    assert dead(path, "concepts.html#none", pages)


@pytest.mark.slow
def test_nothing_is_loaded_from_another_site(site: Path, pages: dict[Path, Page]) -> None:
    loads = {load for page in pages.values() for load in page.loads}
    assert len(loads) > 10
    assert {load for load in loads if elsewhere(load) and not load.startswith("data:")} == set()
    for path in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import )[\"']?https?:", path.read_text(encoding="utf-8")) == [], path


@pytest.mark.slow
def test_light_and_dark_are_there(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    assert {"default", "slate"} <= set(re.findall(r'data-md-color-scheme="?(\w+)', text))


def slugs(text: str) -> set[str]:
    """Return the anchors that the repository's host gives the headings of a page.

    >>> sorted(slugs("# A b, c\\n## The `d`: e\\n"))
    ['a-b-c', 'the-d-e']
    """
    heads = re.findall(r"^#+ (.+)$", build.CODE.sub(lambda part: part[0].strip("`"), text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def linked(page: str) -> Iterator[tuple[str, str]]:
    """Yield the file and the anchor of each link of a page of the repository that has an anchor."""
    for _, target, _ in build.LINK.findall(build.CODE.sub("", (ROOT / page).read_text(encoding="utf-8"))):
        path, mark, anchor = target.partition("#")
        if mark and "://" not in target:
            yield (Path(page).parent / path).as_posix() if path else page, anchor


@pytest.mark.parametrize("page", PAGES)
def test_an_anchor_that_a_page_names_is_one_on_the_repository_too(page: str) -> None:
    for path, anchor in linked(page):
        assert anchor in slugs((ROOT / path).read_text(encoding="utf-8")), f"{page}: {path}#{anchor}"


def test_a_link_to_nothing_is_refused() -> None:
    places = build.pages()
    with pytest.raises(build.SiteError, match=r"^docs/alerts\.md: none\.md is not there$"):
        build.with_links("[this](none.md)", "docs/alerts.md", places, set())
    assert build.with_links("`[this](none.md)`", "docs/alerts.md", places, set()) == "`[this](none.md)`"


def test_links_lead_to_the_places_on_the_site() -> None:
    places, others = build.pages(), set[str]()
    text = "[a](../CONTRIBUTING.md#recipes) [b](notebooks/client.ipynb) ![c](images/flow.svg) [d](https://e.f) [g](#h)"
    wanted = "[a](CONTRIBUTING.md#recipes) [b](notebooks/client.md) ![c](images/flow.svg) [d](https://e.f) [g](#h)"
    assert build.with_links(text, "docs/alerts.md", places, others) == wanted
    assert others == {"docs/images/flow.svg"}
    assert build.with_links("[a](docs/howto/csv.md)", "README.md", places, others) == "[a](howto/csv.md)"


def test_the_menu_names_every_page_once() -> None:
    named = build.menu((ROOT / "docs/site/mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(build.pages().values())


@pytest.mark.slow
def test_what_zensical_warns_of_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(folder: Path) -> None:
        staged(folder)
        with (folder / "pages/alerts.md").open("a") as file:
            file.write("\n[nowhere](concepts.md#nowhere)\n")

    staged = build.stage
    monkeypatch.setattr(build, "stage", planted)
    with pytest.raises(build.SiteError, match="anchor does not exist"):
        build.build(tmp_path / "site")
    assert not (tmp_path / "site").exists()


REQUESTS = [shlex.split(line) for line in documented_lines() if line.startswith("curl ")]


@pytest.mark.parametrize("words", REQUESTS, ids=" ".join)
def test_a_documented_request_is_one_that_the_api_takes(words: list[str]) -> None:
    address = urlsplit(words[-1])
    (path,) = [path for path in document()["paths"] if address.path == f"$ADDRESS{path}"]
    known = {one["name"] for one in document()["paths"][path]["get"]["parameters"]}
    assert parse_qs(address.query).keys() <= known
    assert words[words.index("-H") + 1] == "Authorization: Bearer $TOKEN"


def test_requests_are_documented() -> None:
    assert len(REQUESTS) == 2
