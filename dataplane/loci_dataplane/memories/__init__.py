"""Memories: store, read, update and delete."""
