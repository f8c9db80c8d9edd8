"""Explanations of a forecast: what each input contributed to it."""
