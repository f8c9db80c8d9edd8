"""The report's plots: our own SVG, with the style sheet's colours, light and dark."""
