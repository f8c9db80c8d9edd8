"""What is drawn beside the bars of the live page: events, the prices of the days before, indicators."""
