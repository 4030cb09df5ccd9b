ALTER TABLE workers DROP COLUMN sandbox;
DROP TABLE publications, previews;
