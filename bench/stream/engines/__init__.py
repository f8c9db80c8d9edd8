"""One program for each engine; each reads ticks, keeps a state per symbol, and writes the indicators, until SIGTERM.

What they are to do is in `bench.stream.work`, which needs nothing but Python: most engines have an environment of their
own. ENGINE has the address and the topics as JSON (`Job`).
"""
