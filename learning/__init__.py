"""The learning loop: tracking, tuning, the pipeline, watching, and which version serves. A batch shell."""
