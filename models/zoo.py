"""Every model by name: those in service by default (`models.registry`), and those that are compared with them."""
