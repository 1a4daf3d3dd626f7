"""Tries, again and again, to break the isolation between two tenants of its own, and tells whether it held."""
