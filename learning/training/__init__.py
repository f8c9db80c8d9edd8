"""Training data and retraining: history, its checks, the schedule, the memory limit."""
