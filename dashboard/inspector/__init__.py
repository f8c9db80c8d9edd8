"""The model inspector: what a version was trained on, what it consists of, and what moves its forecasts."""
