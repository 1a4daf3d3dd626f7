"""A schema and two roles for each tenant in one PostgreSQL database."""
