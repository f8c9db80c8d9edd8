"""Models in service: the fold from features to predictions, and which versions it runs."""
