DROP TABLE counter_deltas, counters;
DO $$
DECLARE
    subject text;
    moment  text;
BEGIN
    FOREACH subject IN ARRAY ARRAY['tasks', 'runs', 'outputs', 'memories'] LOOP
        FOREACH moment IN ARRAY ARRAY['added', 'changed', 'gone'] LOOP
            EXECUTE format('DROP FUNCTION titan_count_%s_%s() CASCADE', subject, moment);
        END LOOP;
    END LOOP;
END $$;
