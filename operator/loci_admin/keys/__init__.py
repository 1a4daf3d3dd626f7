"""API keys of tenants: create, list and revoke."""
