"""Compiles the features ahead of their first use: `python -m features`."""

from features.step import FeatureStep

if __name__ == "__main__":
    FeatureStep()
