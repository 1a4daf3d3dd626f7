"""The one way to Kubernetes: connection, calls, server-side apply, list-and-watch.

Import it late where it is optional: the official client takes two seconds and 60 MB.
"""
