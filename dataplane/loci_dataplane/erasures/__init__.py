"""Erasing content from every store, with a receipt."""
