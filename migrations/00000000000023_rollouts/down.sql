DROP TABLE ops_targets;
DROP TABLE ops_rollouts;
