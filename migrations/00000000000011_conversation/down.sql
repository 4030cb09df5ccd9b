DROP INDEX memories_by_age;
DROP TABLE agents, attachments, conversation_summaries;
