"""Live trades of any venue that ccxt streams, onto the topics: each once, in order, or told to be missing."""
