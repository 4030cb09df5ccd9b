DROP TABLE ops_audit;
DROP FUNCTION refuse_change_of_ops_audit();
DROP TABLE ops_intents;
DROP TABLE ops_decisions;
DROP TABLE ops_proposals;
