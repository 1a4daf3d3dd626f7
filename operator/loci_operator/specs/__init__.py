"""Pure builders: from a tenant's context to the objects it needs, one file for each kind."""
