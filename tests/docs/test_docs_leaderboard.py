"""docs/LEADERBOARD.md says what the tables of its run say, and nothing typed in by hand."""

import re

from evaluation import result_tables
from evaluation.leaderboard import leaderboard
from settings import ROOT

PAGE, TABLES = ROOT / "docs" / "LEADERBOARD.md", ROOT / "bench" / "results" / "leaderboard"


def test_the_leaderboard_is_made_of_its_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    made = re.search(r"Written by `(.+)` at commit ([0-9a-f]{12}) with", page)
    assert made is not None  # a clean commit, without a mark
    command, commit = made.groups()
    assert leaderboard(result_tables.load(TABLES), commit, command) == page
