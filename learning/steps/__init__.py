"""The steps of the production pipeline: each takes the run's Work and stores its results in it."""
