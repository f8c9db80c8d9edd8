"""What the dashboard costs, and how soon it shows: openings, many pages while bars come, many sessions."""
