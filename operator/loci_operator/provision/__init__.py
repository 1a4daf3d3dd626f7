"""Tenants' shares of stores that lie outside the tenants' namespaces: one provisioner for each kind of store."""
