"""The Faust apps: agents that run the pure steps in a common shell."""
