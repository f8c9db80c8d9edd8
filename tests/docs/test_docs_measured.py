"""The docs say what the runs said."""

from bench.report import PAGE, RESULTS, page


def test_the_page_of_figures_is_the_one_that_the_runs_make() -> None:
    assert PAGE.read_text() == page(RESULTS)
