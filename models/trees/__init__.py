"""Gradient-boosted trees: LightGBM and XGBoost, and fitted trees in compiled code."""
