"""The page of hyperparameter tuning: studies, their trials and what the parameters matter."""
