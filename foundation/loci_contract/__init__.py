"""Contract between all Loci processes: names, headers, environment, API keys, registry record, error shape."""
