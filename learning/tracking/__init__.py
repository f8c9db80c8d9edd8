"""Experiment tracking: runs, figures and registered versions in MLflow."""
