"""Alert rules: conditions on records, the fold that matches them, and the messages."""
