"""The admin API: tenants and their keys over HTTP. It writes MemoryTenant objects and nothing below them."""
