"""The tenants that the policy knows, and the sources that keep that knowledge current."""
