"""Finding memories by meaning and by words."""
