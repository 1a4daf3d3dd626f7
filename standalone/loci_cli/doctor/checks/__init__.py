"""The checks, one concern per module; each has `check`, which returns its findings."""
