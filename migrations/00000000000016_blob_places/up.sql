-- Where the bytes of a blob are when they are not here, and what tells which blobs are still in use.

-- When it was stored, or stored again: one that nothing names is taken away a while after that.
ALTER TABLE blobs RENAME COLUMN created_at TO stored_at;

-- The name of an object outside, such as `s3:ab/ab12..-0198..`. It is never given twice, so that whoever removes an object
-- cannot meet one that was just put there.
ALTER TABLE blobs ADD COLUMN place text CHECK (length(place) BETWEEN 3 AND 200);
ALTER TABLE blobs ADD CONSTRAINT blobs_one_place CHECK (place IS NULL OR data IS NULL);
CREATE UNIQUE INDEX blobs_by_place ON blobs (place) WHERE place IS NOT NULL;

-- For whoever asks which blobs are still in use, and for the foreign key when one is removed.
CREATE INDEX outputs_of_blob ON outputs (sha256) WHERE sha256 IS NOT NULL;
