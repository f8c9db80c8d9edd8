"""Indicators, one function each, in files by family; `features.table` lists them.

A function takes `x` (see `features.series`), `start` (the first new row), `out` [its columns, new rows], its `state` if
the table has one (zeros at first, kept between calls), the `fitted` parameters if the table requires them, and its own
parameters; it fills `out`. It reads no row later than the one that it fills, and no more rows of history than the
longest warm-up in the table. Rows before the table's warm-up are set to NaN by the caller.

Temporary arrays come from `features.compiled.scratch`.
"""
