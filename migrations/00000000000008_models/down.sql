ALTER TABLE providers DROP COLUMN models;
