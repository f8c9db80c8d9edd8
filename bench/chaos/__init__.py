"""Faults at random points of the whole stack, and a ledger of what must come out all the same."""
