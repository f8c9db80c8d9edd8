"""Hyperparameter tuning: Optuna studies on purged splits of the past."""
