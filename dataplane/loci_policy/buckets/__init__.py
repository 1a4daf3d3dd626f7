"""Token buckets: in this process, or in Redis for every policy process."""
