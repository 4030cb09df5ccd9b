-- Whose loopback address a preview is served at: nobody else can ask there.
ALTER TABLE previews ADD COLUMN network text;
