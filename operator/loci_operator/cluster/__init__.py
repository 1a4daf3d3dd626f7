"""The only place that speaks with the Kubernetes API: requests, watches, and the queue of work they feed."""
