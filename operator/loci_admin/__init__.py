"""Admin API: manages tenants and their keys over HTTP by writing MemoryTenant objects only."""
