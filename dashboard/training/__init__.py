"""The page of trainings: the pipeline's runs, and the curves of what they fit."""
