ALTER TABLE previews DROP COLUMN network;
