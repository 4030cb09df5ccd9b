-- Which models each provider offers, as it told the worker: [{"id", "context_tokens", "max_output_tokens"}].
ALTER TABLE providers ADD COLUMN models jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(models) = 'array');
