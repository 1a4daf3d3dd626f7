"""What the project builds and runs around itself: pinned tools, a local cluster, demos. Never shipped."""
