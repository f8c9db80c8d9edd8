"""Times in files: timestamps, dates, zones and intervals."""
