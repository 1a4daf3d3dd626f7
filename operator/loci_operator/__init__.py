"""The operator: drives every MemoryTenant to its desired state and keeps it there."""
