"""The vocabulary: what each topic carries, where it lives and how it looks on the wire. Imports nothing of ours."""
