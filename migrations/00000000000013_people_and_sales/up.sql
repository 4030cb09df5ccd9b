-- People, what they bring along, and what is sold to them: contacts and documents of a project, its offers and its leads.

CREATE TABLE contacts (
    id           uuid PRIMARY KEY,
    project_id   uuid NOT NULL,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role         text CHECK (length(role) BETWEEN 1 AND 200),
    email        text CHECK (length(email) BETWEEN 3 AND 254),
    phone        text CHECK (length(phone) BETWEEN 1 AND 50),
    organisation text CHECK (length(organisation) BETWEEN 1 AND 200),
    notes        text CHECK (length(notes) BETWEEN 1 AND 8000),
    tags         text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contacts_of_project ON contacts (project_id, id DESC);

-- A file and what is known of its text. The bytes are a blob; the text stands in passages, so that an excerpt need not be cut
-- out of a long text, and so that none is too long for a tsvector.
CREATE TABLE documents (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    format     text NOT NULL CHECK (format IN ('text', 'markdown', 'html', 'csv', 'pdf', 'docx')),
    media_type text NOT NULL CHECK (length(media_type) BETWEEN 1 AND 100),
    size       bigint NOT NULL CHECK (size BETWEEN 1 AND 26214400),
    sha256     bytea NOT NULL REFERENCES blobs (sha256),
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'reading', 'ready', 'failed')),
    -- Why it cannot be read.
    reason     text CHECK (length(reason) BETWEEN 1 AND 1000),
    -- How often a worker has begun to read it.
    readings   smallint NOT NULL DEFAULT 0,
    -- Bytes of the text that are kept, and that are not.
    text_size  bigint CHECK (text_size >= 0),
    left_out   bigint CHECK (left_out >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'failed') = (reason IS NOT NULL)),
    CHECK ((state = 'ready') = (text_size IS NOT NULL AND left_out IS NOT NULL))
);
CREATE INDEX documents_of_project ON documents (project_id, id DESC);
-- For whoever asks which blobs are still in use.
CREATE INDEX documents_of_blob ON documents (sha256);

CREATE TABLE document_passages (
    document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    passage     integer NOT NULL,
    content     text NOT NULL CHECK (length(content) BETWEEN 1 AND 4000),
    words       tsvector NOT NULL,
    PRIMARY KEY (document_id, passage)
);
CREATE INDEX document_passages_words ON document_passages USING gin (words);

CREATE TABLE offers (
    id          uuid PRIMARY KEY,
    project_id  uuid NOT NULL,
    title       text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description text CHECK (length(description) BETWEEN 1 AND 8000),
    -- In the smallest unit of its currency.
    price       bigint NOT NULL CHECK (price BETWEEN 0 AND 1000000000000),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    unit        text NOT NULL CHECK (length(unit) BETWEEN 1 AND 50),
    state       text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'withdrawn')),
    output_id   uuid REFERENCES outputs (id) ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX offers_of_project ON offers (project_id, id DESC);
CREATE INDEX offers_of_output ON offers (output_id) WHERE output_id IS NOT NULL;

CREATE TABLE leads (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    company    text CHECK (length(company) BETWEEN 1 AND 200),
    email      text CHECK (length(email) BETWEEN 3 AND 254),
    phone      text CHECK (length(phone) BETWEEN 1 AND 50),
    source     text CHECK (length(source) BETWEEN 1 AND 200),
    stage      text NOT NULL DEFAULT 'new' CHECK (stage IN ('new', 'contacted', 'qualified', 'proposal', 'won', 'lost')),
    stage_at   timestamptz NOT NULL DEFAULT now(),
    offer_id   uuid REFERENCES offers (id) ON DELETE SET NULL,
    value      bigint CHECK (value BETWEEN 0 AND 1000000000000),
    currency   text CHECK (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((value IS NULL) = (currency IS NULL))
);
CREATE INDEX leads_of_project ON leads (project_id, id DESC);
CREATE INDEX leads_of_offer ON leads (offer_id) WHERE offer_id IS NOT NULL;
-- One person is one lead of a project: an import finds by e-mail whom it knows.
CREATE UNIQUE INDEX leads_email ON leads (project_id, lower(email)) WHERE email IS NOT NULL;

CREATE TABLE lead_notes (
    id         uuid PRIMARY KEY,
    lead_id    uuid NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    content    text NOT NULL CHECK (length(content) BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX lead_notes_of_lead ON lead_notes (lead_id, id DESC);

-- The rules of `titan-core/src/sales/stage.rs`, for whoever writes past them.
CREATE FUNCTION titan_lead_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (was, becomes) IN (
        ('new', 'contacted'), ('new', 'qualified'), ('new', 'proposal'), ('new', 'lost'),
        ('contacted', 'new'), ('contacted', 'qualified'), ('contacted', 'proposal'), ('contacted', 'lost'),
        ('qualified', 'contacted'), ('qualified', 'proposal'), ('qualified', 'won'), ('qualified', 'lost'),
        ('proposal', 'qualified'), ('proposal', 'won'), ('proposal', 'lost'),
        ('won', 'proposal'), ('lost', 'contacted'))
$$;

CREATE FUNCTION titan_offer_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (was, becomes) IN (
        ('draft', 'published'), ('published', 'withdrawn'), ('withdrawn', 'published'), ('withdrawn', 'draft'))
$$;

CREATE FUNCTION titan_check_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stage <> OLD.stage AND NOT titan_lead_edge(OLD.stage, NEW.stage) THEN
        RAISE EXCEPTION 'a lead does not go from % to %', OLD.stage, NEW.stage USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER leads_stage BEFORE UPDATE OF stage ON leads FOR EACH ROW EXECUTE FUNCTION titan_check_lead();

CREATE FUNCTION titan_check_offer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT titan_offer_edge(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'an offer does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER offers_state BEFORE UPDATE OF state ON offers FOR EACH ROW EXECUTE FUNCTION titan_check_offer();
