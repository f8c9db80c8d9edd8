"""Speed, measured beside something to compare with. Nothing here is a test."""
