"""Prediction intervals: quantiles of residuals, and their online calibration."""
