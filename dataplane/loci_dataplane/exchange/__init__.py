"""Everything of a tenant as lines of JSON, out and in."""
