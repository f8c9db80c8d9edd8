"""Every model beside every horizon: what each says of the symbol now, and how good it was lately."""
