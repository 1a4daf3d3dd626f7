"""Usage of a tenant's limits."""
