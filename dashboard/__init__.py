"""The Bokeh page, which only displays results of other packages."""
