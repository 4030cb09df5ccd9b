-- Templates on their way from a git repository into the installation: each is fetched by a worker.

CREATE TABLE template_installs (
    id         uuid PRIMARY KEY,
    url        text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    -- A tag, a branch or a commit; null for what the repository itself offers.
    ref        text CHECK (length(ref) BETWEEN 1 AND 200),
    -- The folder of the repository that the template lies in; null for its top.
    directory  text CHECK (length(directory) BETWEEN 1 AND 240),
    state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'installed', 'failed')),
    -- Why it failed; while it is pending, why the last try did.
    error      text CHECK (length(error) BETWEEN 1 AND 2000),
    -- What was fetched, as soon as it is known.
    commit_id  text CHECK (commit_id ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    -- What it became: `name@version`, and the checksum of its archive.
    reference  text CHECK (length(reference) BETWEEN 1 AND 165),
    sha256     bytea CHECK (length(sha256) = 32),
    -- Whether this very template had been installed before.
    unchanged  boolean,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (state <> 'failed' OR error IS NOT NULL),
    CHECK (state <> 'installed' OR (error IS NULL AND commit_id IS NOT NULL)),
    CHECK ((state = 'installed') = (reference IS NOT NULL AND sha256 IS NOT NULL AND unchanged IS NOT NULL))
);
CREATE INDEX template_installs_pending ON template_installs (id) WHERE state = 'pending';
