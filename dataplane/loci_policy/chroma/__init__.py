"""The gate before a shared Chroma server, which has no authentication of its own."""
