"""Tables in files: head, columns, layouts and cells."""
