"""The Bokeh page: it shows, and computes nothing that another room computes."""
