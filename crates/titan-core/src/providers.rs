//! Model providers as the workers publish them: the API knows nothing of models but these rows.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::Result;
use crate::db::Prepare as _;
use crate::page::Page;

/// Of one provider; more are not kept.
const MAX_MODELS: usize = 2000;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Provider {
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The wire that it speaks: `openai`, `anthropic`, `gemini`, `ollama`, or `offline` for none.
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub model: String,
    /// `ready`, `failing` or `unknown`.
    #[diesel(sql_type = Text)]
    pub state: String,
    #[serde(rename = "default")]
    #[diesel(sql_type = Bool)]
    pub is_default: bool,
    #[diesel(sql_type = Text)]
    pub detail: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    /// How many models it told of.
    #[diesel(sql_type = Integer)]
    pub model_count: i32,
    #[diesel(sql_type = Timestamptz)]
    pub checked_at: DateTime<Utc>,
    /// What became of the calls to it; those of the offline model are not counted.
    #[diesel(embed)]
    pub last_30_days: Use,
}

/// Calls of models together. The times are medians of the answered ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Use {
    #[diesel(sql_type = BigInt)]
    pub calls: i64,
    #[diesel(sql_type = BigInt)]
    pub failed_calls: i64,
    #[diesel(sql_type = BigInt)]
    pub input_tokens: i64,
    #[diesel(sql_type = BigInt)]
    pub output_tokens: i64,
    /// US dollars, as far as prices are known.
    #[diesel(sql_type = Double)]
    pub cost: f64,
    #[diesel(sql_type = Nullable<Double>)]
    pub first_token_ms: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    pub duration_ms: Option<f64>,
}

/// A model as far as it is known. Prices are US dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    pub id: String,
    pub context_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    pub input_price: Option<f64>,
    pub output_price: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Model {
    /// As a task names it: `provider:model`.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub provider: String,
    /// The provider's own name for it.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// Tokens that it takes in; null when the provider does not tell.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub context_tokens: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub max_output_tokens: Option<i64>,
    /// US dollars per million tokens; null when nobody knows.
    #[diesel(sql_type = Nullable<Double>)]
    pub input_price: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    pub output_price: Option<f64>,
    /// Whether it answers when a task names none.
    #[serde(rename = "default")]
    #[diesel(sql_type = Bool)]
    pub is_default: bool,
}

/// The default first, then by name.
///
/// # Errors
/// When the database does not answer.
pub fn list(connection: &mut PgConnection) -> Result<Vec<Provider>> {
    Ok(sql_query(
        "SELECT p.name, p.kind, p.model, p.state, p.is_default, p.detail, p.last_error, \
           jsonb_array_length(p.models) AS model_count, p.checked_at, u.* \
         FROM providers p, LATERAL (SELECT count(*) AS calls, count(*) FILTER (WHERE c.state IN ('failed', 'lost')) AS failed_calls, \
             coalesce(sum(c.input_tokens), 0)::bigint AS input_tokens, coalesce(sum(c.output_tokens), 0)::bigint AS output_tokens, \
             coalesce(sum(c.cost_micros), 0) / 1000000.0::double precision AS cost, \
             percentile_cont(0.5) WITHIN GROUP (ORDER BY c.first_token_ms) FILTER (WHERE c.state = 'answered') AS first_token_ms, \
             percentile_cont(0.5) WITHIN GROUP (ORDER BY c.duration_ms) FILTER (WHERE c.state = 'answered') AS duration_ms \
           FROM model_calls c WHERE c.provider = p.name AND c.provider <> 'offline' AND c.state <> 'open' \
             AND c.created_at > now() - interval '30 days') AS u \
         ORDER BY p.is_default DESC, p.name LIMIT 100",
    )
    .load(connection)?)
}

/// By name. The default is there also when its provider tells of no models.
///
/// # Errors
/// When the database does not answer; a cursor or limit that is wrong.
pub fn models(
    connection: &mut PgConnection,
    containing: Option<&str>,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Model>> {
    let limit = crate::page::limit(limit)?;
    let rows: Vec<Model> = sql_query(
        "WITH offered AS (SELECT p.name AS provider, m.model ->> 'id' AS id, (m.model ->> 'context_tokens')::bigint AS context_tokens, \
             (m.model ->> 'max_output_tokens')::bigint AS max_output_tokens, \
             (m.model ->> 'input_price')::double precision AS input_price, \
             (m.model ->> 'output_price')::double precision AS output_price, p.is_default, p.model AS preferred \
           FROM providers p, jsonb_array_elements(p.models) AS m (model) \
           UNION ALL SELECT p.name, p.model, NULL, NULL, NULL, NULL, true, p.model FROM providers p \
             WHERE p.is_default AND NOT EXISTS (SELECT FROM jsonb_array_elements(p.models) AS m (model) WHERE m.model ->> 'id' = p.model)), \
         named AS (SELECT provider || ':' || id AS name, provider, id, context_tokens, max_output_tokens, \
             input_price, output_price, is_default AND id = preferred AS is_default FROM offered) \
         SELECT * FROM named WHERE ($1 IS NULL OR position(lower($1) IN lower(name)) > 0) AND ($2 IS NULL OR name > $2) \
         ORDER BY name LIMIT $3",
    )
    .bind::<Nullable<Text>, _>(containing)
    .bind::<Nullable<Text>, _>(cursor)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |model: &Model| model.name.clone()))
}

/// What a provider told of one of its models.
///
/// # Errors
/// When the database does not answer.
pub fn offered(connection: &mut PgConnection, provider: &str, id: &str) -> Result<Option<Offered>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Jsonb)]
        model: serde_json::Value,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT m.model FROM providers p, jsonb_array_elements(p.models) AS m (model) \
         WHERE p.name = $1 AND m.model ->> 'id' = $2 LIMIT 1",
    )
    .bind::<Text, _>(provider)
    .bind::<Text, _>(id)
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().next().and_then(|row| serde_json::from_value(row.model).ok()))
}

/// Replaces what was published by what this worker offers now; of a provider that did not tell its models, those that it told before
/// stay. Workers of one installation share their configuration, so
/// the last one to start is right.
///
/// # Errors
/// When the database does not answer.
pub fn publish(connection: &mut PgConnection, providers: &[(Provider, Vec<Offered>)]) -> Result<()> {
    connection.transaction(|connection| {
        let names: Vec<&str> = providers.iter().map(|(provider, _)| provider.name.as_str()).collect();
        sql_query("DELETE FROM providers WHERE NOT (name = ANY($1))").bind::<Array<Text>, _>(names).execute(connection)?;
        for (provider, models) in providers {
            sql_query(
                "INSERT INTO providers (name, kind, model, state, is_default, detail, last_error, checked_at, models) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, \
                 model = excluded.model, state = excluded.state, is_default = excluded.is_default, detail = excluded.detail, \
                 last_error = excluded.last_error, checked_at = excluded.checked_at, \
                 models = CASE WHEN excluded.models = '[]' THEN providers.models ELSE excluded.models END",
            )
            .bind::<Text, _>(&provider.name)
            .bind::<Text, _>(&provider.kind)
            .bind::<Text, _>(&provider.model)
            .bind::<Text, _>(&provider.state)
            .bind::<Bool, _>(provider.is_default)
            .bind::<Text, _>(&provider.detail)
            .bind::<Nullable<Text>, _>(&provider.last_error)
            .bind::<Timestamptz, _>(provider.checked_at)
            .bind::<Jsonb, _>(json!(models.get(..MAX_MODELS).unwrap_or(models)))
            .execute(connection)?;
        }
        Ok(())
    })
}

/// Records how the last call of a provider went.
///
/// # Errors
/// When the database does not answer.
pub fn record(connection: &mut PgConnection, name: &str, error: Option<&str>) -> Result<()> {
    sql_query(
        "UPDATE providers SET state = $2, last_error = coalesce($3, last_error), checked_at = now() \
         WHERE name = $1 AND (state <> $2 OR checked_at < now() - interval '10 seconds')",
    )
    .bind::<Text, _>(name)
    .bind::<Text, _>(if error.is_some() { "failing" } else { "ready" })
    .bind::<Nullable<Text>, _>(error)
    .execute(connection)?;
    Ok(())
}
