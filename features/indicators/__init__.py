"""Indicators, one function each, in files by family; `features.table` lists them.

A function takes `x` (see `features.series`), `start` (the first new row), `out` [new rows, its columns], its `state`
where the table gives it any (zeros at first, kept between calls), and its parameters; it fills `out`. It reads no row
later than the one that it fills. Rows before the table's warm-up are set to NaN by the caller.
"""
