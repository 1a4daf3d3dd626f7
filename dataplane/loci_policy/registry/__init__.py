"""Tenant registry of the policy, and the sources that keep it up to date."""
