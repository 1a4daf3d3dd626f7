"""What every Loci process agrees on: names, headers, environment keys, API keys, the registry record, the error shape."""
