"""Model monitoring: rolling skill, drift and coverage of every version on the stream."""
