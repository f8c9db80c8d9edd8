"""The pages and documents of docs/reference, made from the code: `python -m cli.reference` writes them anew."""
