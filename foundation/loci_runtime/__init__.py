"""Runtime shared by all processes: logs, serving, request ids, HTTP errors, settings and retries.

Modules are imported individually, so that no process loads libraries that it does not need.
"""
