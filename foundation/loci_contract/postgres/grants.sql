GRANT USAGE ON SCHEMA {schema} TO {login};
GRANT SELECT ON {schema}.schema_version TO {login};
GRANT SELECT, UPDATE ON {schema}.totals TO {login};
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.memory, {schema}.outbox TO {login};
GRANT USAGE ON SEQUENCE {schema}.revision TO {login};
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.history, {schema}.replies TO {login};
GRANT SELECT, INSERT, UPDATE ON {schema}.erasures TO {login};
GRANT SELECT, UPDATE ON {schema}.graph_totals TO {login};
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.entity, {schema}.graph_memory, {schema}.mention, {schema}.fact TO {login};
