"""Tenants: create, read, update, suspend and delete."""
