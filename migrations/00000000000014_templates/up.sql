-- Templates that were installed, and the very bytes of those that a run was made from.

-- Content-addressed, so that what a run began with stays what it was, whatever is installed or shipped later.
CREATE TABLE template_archives (
    sha256  bytea PRIMARY KEY CHECK (length(sha256) = 32),
    -- An uncompressed tar in one form: the same files are the same bytes.
    archive bytea NOT NULL CHECK (octet_length(archive) BETWEEN 1 AND 10485760),
    kept_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE templates (
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    version      text NOT NULL CHECK (length(version) BETWEEN 5 AND 64),
    sha256       bytea NOT NULL REFERENCES template_archives (sha256),
    -- As it was read from the archive, so that a catalogue unpacks nothing.
    manifest     jsonb NOT NULL,
    -- Where it came from, in words: "an upload", "the folder web/shop".
    origin       text NOT NULL CHECK (length(origin) BETWEEN 1 AND 500),
    installed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);
