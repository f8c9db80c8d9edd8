"""Hours at a steady rate on the default stack, with a database that is slow for a while."""
