"""Reading of files: from the packed bytes to clean rows in time order."""
