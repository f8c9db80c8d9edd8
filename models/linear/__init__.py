"""Linear models: ridge, recursive least squares, and stochastic gradients."""
