"""The kopf edge: events in, the queue fed."""
