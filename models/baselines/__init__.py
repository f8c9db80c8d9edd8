"""Baselines: the naive forecast, an autoregression, and the probability of a reversal."""
