"""Builders of the stores of a tenant's own, one file per store."""
