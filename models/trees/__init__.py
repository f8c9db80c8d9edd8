"""Gradient-boosted trees: LightGBM, XGBoost and CatBoost, and fitted trees in compiled code."""
