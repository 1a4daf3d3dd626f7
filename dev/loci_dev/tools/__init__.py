"""`make tools`: pinned tools, found or made."""
