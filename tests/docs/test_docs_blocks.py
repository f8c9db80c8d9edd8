"""Each fenced block of README, CONTRIBUTING and docs is executed by a test, which reads it from the page."""

import pytest
from documented import Block, blocks

from settings import ROOT

EXECUTED: dict[tuple[str, str] | tuple[str, str, int], str] = {
    ("README.md", "sh"): "tests/story/test_story_documented.py",
    ("docs/kafka.md", "sh"): "tests/story/test_story_documented.py",
    ("docs/operate.md", "sh"): "tests/story/test_story_documented.py",
    **dict.fromkeys(
        [
            ("docs/alerts.md", "sh"),
            ("docs/tutorial.md", "sh"),
            *((f"docs/howto/{name}.md", "sh") for name in ("csv", "indicator", "live", "model", "telegram", "upgrade")),
        ],
        "tests/story/test_story_documented.py",
    ),
    ("docs/howto/read.md", "sql"): "tests/storage/test_storage_documented.py",
    ("docs/concepts.md", "sql"): "tests/storage/test_storage_documented.py",
    ("docs/concepts.md", "python", 1): "tests/learning/test_learning_pipeline.py",
    ("docs/howto/read.md", "python", 1): "tests/api/test_api_client.py",
    ("docs/howto/cluster.md", "toml", 1): "tests/story/test_story_tls.py",
    ("docs/howto/kubernetes.md", "sh"): "tests/stack/test_stack_kubernetes.py",
    ("docs/settings.md", "toml", 1): "tests/settings/test_settings_page.py",
    ("docs/alerts.md", "python", 1): "tests/alerts/test_alerts_docs.py",
    ("docs/alerts.md", "", 1): "tests/alerts/test_alerts_docs.py",
}
"""By page and language, and by number where each has a test of its own."""
DRAWN = {("README.md", "", 1)}
"""A picture in letters."""


def proof(block: Block) -> str | None:
    """Return the test that executes a block, None if there is none."""
    return EXECUTED.get(block[:3]) or EXECUTED.get(block[:2])


def test_each_block_is_executed_by_a_test() -> None:
    results = [block for block in blocks() if block[:3] not in DRAWN]
    assert [block[:3] for block in results if proof(block) is None] == []
    used = {block[:3] for block in results} | {block[:2] for block in results}
    assert not EXECUTED.keys() - used


@pytest.mark.parametrize("test", sorted(set(EXECUTED.values())))
def test_the_test_of_a_block_reads_its_page(test: str) -> None:
    pages = {key[0] for key, path in EXECUTED.items() if path == test}
    text = (ROOT / test).read_text()
    # Either the page by its name, or all of docs.
    assert all(page.rpartition("/")[2] in text or "bench.queries" in text or '"docs").rglob' in text for page in pages)


def test_python_blocks_compile() -> None:
    shown = [block for block in blocks() if block.language == "python"]
    assert len(shown) == 3
    for block in shown:
        compile(block.text, f"{block.page} {block.number}", "exec")


def test_a_block_without_a_test_is_found() -> None:
    assert proof(Block("CONTRIBUTING.md", "python", 1, "import topics")) is None
    assert proof(Block("README.md", "python", 1, "import topics")) is None
