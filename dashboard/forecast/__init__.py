"""One forecast in detail: what opens on the live page when one is clicked."""
