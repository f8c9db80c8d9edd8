"""The Faust app: a shell of a few lines an agent around the pure steps."""
