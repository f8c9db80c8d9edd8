"""Compilation where nothing can be kept, as in a read-only folder."""

from features.compiled import compiled_and_kept


def test_code_that_cannot_be_kept_is_compiled_all_the_same() -> None:
    namespace: dict[str, object] = {}
    exec("def double(x):\n    return 2.0 * x", namespace)  # noqa: S102 - a function without a file, which numba cannot keep
    double = compiled_and_kept(namespace["double"])
    assert double(1.5) == 3.0
