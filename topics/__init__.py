"""The records, the topics that carry them, and their encoding. Imports no other package of ours."""
