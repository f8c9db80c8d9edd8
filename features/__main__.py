"""Compiles the features, so that the first command that needs them does not: `python -m features`."""

from features.step import FeatureStep

if __name__ == "__main__":
    FeatureStep()
