"""kopf edge: receives events, updates the world and fills the work queue."""
