"""Markets in files: the pair, the kind of market, and the unit of its amounts."""
