"""Tenants: create, read, change, suspend, delete."""
