"""The points of the work at which a process may be told to die, and the rare states that a run must have reached."""

POINTS = ("outputs delivered", "state written", "offsets acknowledged", "rows stored")
"""Between these and the next step of the work a process may be told to die."""
ARMED, REACHED = "crash-at", "reached.log"
REBALANCE = "rebalance during recovery"
DUPLICATE = "duplicate frame"
ROLLBACK = "rollback between two bars"
RARE = (REBALANCE, DUPLICATE, ROLLBACK, *(f"crash: {point}" for point in POINTS))
"""What a long run must have reached, or it has shown less than it says."""
