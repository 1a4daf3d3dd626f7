-- Takes from PUBLIC, in this database, whatever shows or touches more than a role's own schema. It can be repeated.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
DO $$
DECLARE
  target text;
  -- Large objects, waiting, locks outside of tables, messages, and functions that tell of other roles and sessions.
  functions CONSTANT text := '^(lo_|loread$|lowrite$|pg_sleep|pg_advisory|pg_try_advisory|pg_notify$|pg_stat_get_'
    '|pg_lock_status$|pg_get_userbyid$|pg_logical_emit_message$|pg_export_snapshot$|pg_identify_object|pg_describe_object$'
    '|pg_blocking_pids$|pg_safe_snapshot|to_reg|has_|pg_has_role$|pg_show_all_settings$|pg_ls_|pg_read_|pg_stat_file$)';
BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  FOR target IN
    SELECT c.oid::regclass FROM pg_class c
    WHERE c.relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND c.relkind IN ('r', 'v', 'm')
      AND (has_table_privilege('public', c.oid, 'SELECT') OR has_any_column_privilege('public', c.oid, 'SELECT'))
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', target);
  END LOOP;
  FOR target IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname ~ functions
      AND has_function_privilege('public', p.oid, 'EXECUTE')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', target);
  END LOOP;
END $$;
