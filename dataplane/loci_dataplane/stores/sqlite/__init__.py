"""The record, full text and outbox of a tenant in one SQLite file."""
