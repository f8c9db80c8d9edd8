"""Indicators, one function each, in files by family; `features.table` lists them.

A function takes `x` (see `features.series`), `start` (the first new row), `out` [its columns, new rows], its `state`
where the table gives it any (zeros at first, kept between calls), what training `fitted` where the table says so, and
its parameters; it fills `out`. It reads no row later than the one that it fills, and no more rows of history than the
longest warm-up in the table. Rows before the table's warm-up are set to NaN by the caller.

Arrays to work in come from `features.compiled.room`.
"""
