"""The registry: models, versions, artifacts and parameters on disk."""
