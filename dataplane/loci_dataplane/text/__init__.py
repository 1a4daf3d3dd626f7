"""Text: the terms that are searched for, and the parts that are embedded. Pure functions."""
