"""The points of the work at which a process may be told to die, and the rare states that a run must have reached."""

POINTS = ("outputs delivered", "state written", "offsets acknowledged", "rows stored")
"""Between these and the next step of the work a process may be told to die."""
ARMED, REACHED = "crash-at", "reached.log"
HELD, HELD_S = "hold-recoveries", 4.0
"""While there is the file, each recovery takes so many seconds longer: else it is over before anything meets it."""
REBALANCE = "rebalance during recovery"
DUPLICATE = "duplicate frame"
ROLLBACK = "rollback between two bars"
RARE = (REBALANCE, DUPLICATE, ROLLBACK, *(f"crash: {point}" for point in POINTS))
"""What a long run must have reached, or it has shown less than it says."""
