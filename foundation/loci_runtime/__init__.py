"""What every process does alike: logs, serving, request ids, errors over HTTP, the way to Kubernetes.

Each module is imported by those that need it alone, so that no process pays for another's libraries.
"""
