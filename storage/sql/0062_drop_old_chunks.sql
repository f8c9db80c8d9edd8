-- Drops a hypertable's chunks between two times, for a role that does not own the tables: only the owner may call drop_chunks
-- itself. Who may call this is said by storage/roles.py.
CREATE FUNCTION drop_old_chunks(relation text, older_than timestamptz, newer_than timestamptz) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF relation NOT IN (
        'ticks', 'bars', 'features', 'regimes', 'prediction_rows', 'outcome_rows', 'model_skill', 'alerts'
    ) THEN
        RAISE EXCEPTION 'nothing expires in %', relation;
    END IF;
    PERFORM drop_chunks(format('public.%I', relation)::regclass, older_than, newer_than);
END $$;
REVOKE EXECUTE ON FUNCTION drop_old_chunks FROM PUBLIC;
