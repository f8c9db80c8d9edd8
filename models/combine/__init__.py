"""Combinations of models: ensembles by online aggregation, and stacking."""
