"""The custom resources as models: what the schema in `crds/` is rendered from, and what the operator works with."""
