"""The graph in Neo4j, by the official driver."""
