ALTER TABLE ops_targets DROP COLUMN since;
