//! Offers: what is sold, for how much, and what it is.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::currency::{checked_amount, checked_currency};
use super::{MOST_OFFERS, OfferState};
use crate::engine::IdempotencyKey;
use crate::page::Page;
use crate::people::optional;
use crate::projects::checked_text;
use crate::state::Review;
use crate::{Error, Result, idempotency, outputs, owned};

const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 8000;
const MAX_UNIT: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
pub struct Offer {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub description: Option<String>,
    /// In the smallest unit of the currency: cents for EUR, whole yen for JPY.
    #[diesel(sql_type = BigInt)]
    pub price: i64,
    /// ISO 4217.
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// For what the price is: `once`, `month`, `hour`, ...
    #[diesel(sql_type = Text)]
    pub unit: String,
    #[diesel(sql_type = Text)]
    pub state: OfferState,
    /// The output of the project that is sold.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub output_id: Option<Uuid>,
    /// What that output is called.
    #[diesel(sql_type = Nullable<Text>)]
    pub output_name: Option<String>,
    /// How many leads it has.
    #[diesel(sql_type = BigInt)]
    pub leads: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewOffer {
    pub title: String,
    pub description: Option<String>,
    pub price: i64,
    pub currency: String,
    pub unit: String,
    pub output_id: Option<Uuid>,
}

/// What is not given stays. The inner `None` takes away what may be missing.
#[derive(Debug, Clone, Default)]
pub struct OfferEdit {
    pub title: Option<String>,
    pub description: Option<Option<String>>,
    pub price: Option<i64>,
    pub currency: Option<String>,
    pub unit: Option<String>,
    pub state: Option<String>,
    pub output_id: Option<Option<Uuid>>,
}

impl NewOffer {
    fn checked(&self) -> Result<Self> {
        Ok(NewOffer {
            title: checked_text("title", &self.title, MAX_TITLE)?,
            description: optional("description", self.description.as_deref(), MAX_DESCRIPTION)?,
            price: checked_amount("price", self.price)?,
            currency: checked_currency(&self.currency)?,
            unit: checked_text("unit", &self.unit, MAX_UNIT)?,
            output_id: self.output_id,
        })
    }

    fn edited(now: Offer, edit: OfferEdit) -> Self {
        NewOffer {
            title: edit.title.unwrap_or(now.title),
            description: edit.description.unwrap_or(now.description),
            price: edit.price.unwrap_or(now.price),
            currency: edit.currency.unwrap_or(now.currency),
            unit: edit.unit.unwrap_or(now.unit),
            output_id: edit.output_id.unwrap_or(now.output_id),
        }
    }
}

const SELECT: &str = "SELECT o.id, o.project_id, o.title, o.description, o.price, o.currency, o.unit, o.state, o.output_id, \
     u.name AS output_name, (SELECT count(*) FROM leads l WHERE l.offer_id = o.id) AS leads, o.created_at, o.updated_at \
     FROM offers o JOIN projects p ON p.id = o.project_id AND p.deleted_at IS NULL LEFT JOIN outputs u ON u.id = o.output_id";

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Offer> {
    let rows: Vec<Offer> = sql_query(format!("{SELECT} WHERE o.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().ok_or(Error::NotFound("offer", id))
}

/// The newest first.
///
/// # Errors
/// [`Error::NotFound`] for the project; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    state: Option<OfferState>,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Offer>> {
    let limit = crate::page::limit(limit)?;
    crate::projects::exists(connection, project_id)?;
    let rows: Vec<Offer> = sql_query(format!(
        "{SELECT} WHERE o.project_id = $1 AND ($2 IS NULL OR o.id < $2) AND ($3 IS NULL OR o.state = $3) ORDER BY o.id DESC LIMIT $4"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<Nullable<Text>, _>(state)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |offer| offer.id.to_string()))
}

/// It begins as a draft. The flag says whether the key had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the project, a field that is wrong, too many of them, the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    project_id: Uuid,
    new: &NewOffer,
    key: Option<&IdempotencyKey>,
) -> Result<(Offer, bool)> {
    let new = new.checked()?;
    let (id, replayed) = connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        owned::refuse_more(connection, "offers", project_id, 1, MOST_OFFERS)?;
        check_output(connection, project_id, new.output_id)?;
        sql_query(
            "INSERT INTO offers (id, project_id, title, description, price, currency, unit, output_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(&new.title)
        .bind::<Nullable<Text>, _>(&new.description)
        .bind::<BigInt, _>(new.price)
        .bind::<Text, _>(&new.currency)
        .bind::<Text, _>(&new.unit)
        .bind::<Nullable<SqlUuid>, _>(new.output_id)
        .execute(connection)?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}

/// # Errors
/// [`Error::NotFound`], a field that is wrong, and [`Error::Conflict`] for a state that it may not become.
pub fn update(connection: &mut PgConnection, id: Uuid, edit: OfferEdit) -> Result<Offer> {
    let state = edit.state.as_deref().map(str::parse).transpose();
    let state: Option<OfferState> = state.map_err(|why: String| Error::invalid("state", why))?;
    connection.transaction(|connection| {
        // Nobody changes it in between.
        sql_query("SELECT FROM offers WHERE id = $1 FOR UPDATE").bind::<SqlUuid, _>(id).execute(connection)?;
        let now = get(connection, id)?;
        let (project_id, was) = (now.project_id, now.state);
        let state = state.unwrap_or(was);
        was.check(state)?;
        let relinked = edit.output_id.is_some();
        let offer = NewOffer::edited(now, edit).checked()?;
        if relinked || (state == OfferState::Published && was != state) {
            check_output(connection, project_id, offer.output_id)?;
        }
        sql_query(
            "UPDATE offers SET title = $2, description = $3, price = $4, currency = $5, unit = $6, output_id = $7, state = $8, \
             updated_at = now() WHERE id = $1",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(&offer.title)
        .bind::<Nullable<Text>, _>(&offer.description)
        .bind::<BigInt, _>(offer.price)
        .bind::<Text, _>(&offer.currency)
        .bind::<Text, _>(&offer.unit)
        .bind::<Nullable<SqlUuid>, _>(offer.output_id)
        .bind::<Text, _>(state)
        .execute(connection)?;
        get(connection, id)
    })
}

/// What is sold must be there, be the project's own, and not be refused by whoever looked at it.
fn check_output(connection: &mut PgConnection, project_id: Uuid, output_id: Option<Uuid>) -> Result<()> {
    let Some(id) = output_id else { return Ok(()) };
    let missing = || Error::invalid("output_id", "must be an output of this project");
    match outputs::get(connection, id) {
        Ok(output) if output.project_id != project_id => Err(missing()),
        Ok(output) if output.review == Review::Rejected => {
            Err(Error::invalid("output_id", "must not be an output that was rejected"))
        }
        Ok(_) => Ok(()),
        Err(Error::NotFound(..)) => Err(missing()),
        Err(error) => Err(error),
    }
}

/// Takes it away and tells whose it was; its leads stay, without an offer.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(connection: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    owned::delete(connection, "offers", id)?.ok_or(Error::NotFound("offer", id))
}
