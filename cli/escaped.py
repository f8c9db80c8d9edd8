"""Text from anywhere, as a terminal may have it."""


def printable(text: str) -> str:
    """Return the text with every character escaped that is not printed: a terminal takes some of them for orders."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def printable_bytes(value: bytes) -> str:
    """Return bytes as such a text; what is no UTF-8 is shown in hexadecimal."""
    return printable(value.decode(errors="backslashreplace"))
