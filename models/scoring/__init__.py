"""Scores of matured forecasts, and the evidence for one model over another."""
