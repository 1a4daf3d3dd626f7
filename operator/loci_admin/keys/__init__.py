"""API keys of tenants: create, list, revoke."""
