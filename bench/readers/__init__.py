"""Files that are nearly right, thrown at every reader: see `bench.readers.__main__`."""
