"""The Records, FullText and Outbox ports on a tenant's schema in PostgreSQL."""
