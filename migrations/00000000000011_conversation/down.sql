DROP TABLE agents, attachments, conversation_summaries;
