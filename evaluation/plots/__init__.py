"""The report's pictures: SVG made by hand, whose colours are the style sheet's, light and dark."""
