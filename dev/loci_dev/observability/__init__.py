"""Rules, dashboards and the metrics reference as code; `make generate` renders them. Never shipped in the wheel."""
