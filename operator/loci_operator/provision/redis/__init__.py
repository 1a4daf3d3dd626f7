"""Provision a user per tenant on a shared Redis or Valkey server or cluster."""
