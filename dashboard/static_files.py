"""The page's static text files."""

from importlib.resources import files


def asset(name: str) -> str:
    """Return the text of a file in assets/."""
    return files("dashboard").joinpath("assets", name).read_text(encoding="utf-8")
