"""Live trades of any venue that ccxt streams, onto the topics: each once, in order, or reported as missing."""
