"""The steps of the production pipeline: each takes the run's Work and leaves in it what the next ones need."""
