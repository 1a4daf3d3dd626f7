"""A tenant's own service: memories, search and usage over the tenant's stores."""
