-- Since when production has answered what it answers now: the same commit, ready or not. Null for what was seen before this was kept.
ALTER TABLE ops_targets ADD COLUMN since timestamptz;
