"""Where things are kept: ports, and an adapter for each store."""
