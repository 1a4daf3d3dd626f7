"""A collection for each tenant on one Chroma server."""
