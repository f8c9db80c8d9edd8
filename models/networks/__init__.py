"""Neural networks as forecasters; what needs torch is in `models.networks.nn`."""
