"""The page of the features says what the table says."""

from features.listing import page
from settings import ROOT


def test_the_page_is_the_one_that_the_table_makes() -> None:
    text = (ROOT / "docs" / "FEATURES.md").read_text()
    assert text == page(), "write it anew: .venv/bin/python -m features.listing > docs/FEATURES.md"
