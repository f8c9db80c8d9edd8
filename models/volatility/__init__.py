"""Volatility models: realised variance, HAR, GARCH, and their daily regression."""
