"""Measures of drift: how far new rows are from the training data."""
