"""What every Loci process agrees on: names, headers, environment, API keys, registry record, error shape."""
