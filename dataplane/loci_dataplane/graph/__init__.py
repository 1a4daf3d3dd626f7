"""Entities, relations and facts: what is extracted from memories and how it is read."""
