"""The learning loop: tracking, tuning, the pipeline, monitoring and deployment of models. Performs I/O."""
