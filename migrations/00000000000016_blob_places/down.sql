-- Of what is outside only the names are lost: the objects stay where they are.
DROP INDEX outputs_of_blob;
ALTER TABLE blobs DROP COLUMN place;
ALTER TABLE blobs RENAME COLUMN stored_at TO created_at;
