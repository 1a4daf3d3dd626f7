"""Token buckets: local to a process, or shared by all policy processes in Redis."""
