"""Whether the service and its stores are well."""
