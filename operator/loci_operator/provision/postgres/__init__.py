"""Provision a schema and two roles per tenant in a shared PostgreSQL database."""
