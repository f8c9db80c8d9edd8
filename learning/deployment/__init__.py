"""Model deployment: the log of decisions about champions and challengers."""
