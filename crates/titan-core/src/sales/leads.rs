//! Leads: who may buy, how they are reached, and how far they are.

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::currency::{checked_amount, checked_currency};
use super::{LeadStage, MOST_LEADS};
use crate::engine::IdempotencyKey;
use crate::page::Page;
use crate::people::{email, optional, phone};
use crate::projects::checked_text;
use crate::words::Words;
use crate::{Error, Result, idempotency, owned};

const MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
pub struct Lead {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub company: Option<String>,
    /// No other lead of the project has it.
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub phone: Option<String>,
    /// Where it came from.
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
    #[diesel(sql_type = Text)]
    pub stage: LeadStage,
    /// Since when it is there.
    #[diesel(sql_type = Timestamptz)]
    pub stage_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub offer_id: Option<Uuid>,
    /// What it may bring, in the smallest unit of the currency.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub value: Option<i64>,
    /// ISO 4217; set with the value.
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub notes: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewLead {
    pub name: String,
    pub company: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub source: Option<String>,
    /// `new` when it is not given.
    pub stage: Option<LeadStage>,
    pub offer_id: Option<Uuid>,
    pub value: Option<i64>,
    /// That of the offer when it is not given.
    pub currency: Option<String>,
}

/// What is not given stays. The inner `None` takes away what may be missing.
#[derive(Debug, Clone, Default)]
pub struct LeadEdit {
    pub name: Option<String>,
    pub company: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    pub source: Option<Option<String>>,
    pub stage: Option<LeadStage>,
    pub offer_id: Option<Option<Uuid>>,
    pub value: Option<Option<i64>>,
    pub currency: Option<String>,
}

/// Which of them are listed; all, unless something is said.
#[derive(Debug, Clone, Default)]
pub struct LeadFilter {
    pub stage: Option<LeadStage>,
    pub offer_id: Option<Uuid>,
    /// Only those that have all of these words, or parts of words, anywhere but in their notes.
    pub q: Option<String>,
}

impl NewLead {
    pub(super) fn checked(&self) -> Result<Self> {
        let currency = self.currency.as_deref().map(checked_currency).transpose()?;
        let value = self.value.map(|value| checked_amount("value", value)).transpose()?;
        if value.is_some() && currency.is_none() {
            return Err(Error::invalid("currency", NO_CURRENCY));
        }
        Ok(NewLead {
            name: checked_text("name", &self.name, MAX)?,
            company: optional("company", self.company.as_deref(), MAX)?,
            email: email(self.email.as_deref())?,
            phone: phone(self.phone.as_deref())?,
            source: optional("source", self.source.as_deref(), MAX)?,
            stage: self.stage,
            offer_id: self.offer_id,
            value,
            currency: currency.filter(|_| value.is_some()),
        })
    }

    fn edited(now: Lead, edit: LeadEdit) -> Self {
        NewLead {
            name: edit.name.unwrap_or(now.name),
            company: edit.company.unwrap_or(now.company),
            email: edit.email.unwrap_or(now.email),
            phone: edit.phone.unwrap_or(now.phone),
            source: edit.source.unwrap_or(now.source),
            stage: Some(edit.stage.unwrap_or(now.stage)),
            offer_id: edit.offer_id.unwrap_or(now.offer_id),
            value: edit.value.unwrap_or(now.value),
            currency: edit.currency.or(now.currency),
        }
    }

    /// The offer must be the project's own; a value without a currency is in the offer's.
    fn with_offer(mut self, connection: &mut PgConnection, project_id: Uuid) -> Result<Self> {
        let Some(id) = self.offer_id else { return Ok(self) };
        let missing = || Error::invalid("offer_id", "must be an offer of this project");
        let offer = match super::offers::get(connection, id) {
            Ok(offer) if offer.project_id == project_id => offer,
            Ok(_) | Err(Error::NotFound(..)) => return Err(missing()),
            Err(error) => return Err(error),
        };
        self.currency = self.currency.or(Some(offer.currency));
        Ok(self)
    }
}

pub(super) const NO_CURRENCY: &str = "is required with a value, for example EUR";

const SELECT: &str = "SELECT l.id, l.project_id, l.name, l.company, l.email, l.phone, l.source, l.stage, l.stage_at, l.offer_id, \
     l.value, l.currency, (SELECT count(*) FROM lead_notes n WHERE n.lead_id = l.id) AS notes, l.created_at, l.updated_at \
     FROM leads l JOIN projects p ON p.id = l.project_id AND p.deleted_at IS NULL";

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Lead> {
    let rows: Vec<Lead> = sql_query(format!("{SELECT} WHERE l.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().ok_or(Error::NotFound("lead", id))
}

/// The newest first.
///
/// # Errors
/// [`Error::NotFound`] for the project; a filter, cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    filter: &LeadFilter,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Lead>> {
    let limit = crate::page::limit(limit)?;
    let words = filter.q.as_deref().map(Words::of).transpose()?;
    crate::projects::exists(connection, project_id)?;
    let rows: Vec<Lead> = sql_query(format!(
        "{SELECT} WHERE l.project_id = $1 AND ($2 IS NULL OR l.id < $2) AND ($3 IS NULL OR l.stage = $3) \
         AND ($4 IS NULL OR l.offer_id = $4) \
         AND ($5 IS NULL OR concat_ws(' ', l.name, l.company, l.email, l.phone, l.source) ILIKE ALL ($5)) \
         ORDER BY l.id DESC LIMIT $6"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<Nullable<Text>, _>(filter.stage)
    .bind::<Nullable<SqlUuid>, _>(filter.offer_id)
    .bind::<Nullable<Array<Text>>, _>(words.as_ref().map(Words::patterns))
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |lead| lead.id.to_string()))
}

/// Those with these addresses, written in lowercase; nobody changes them until the transaction ends.
pub(super) fn of_emails(connection: &mut PgConnection, project_id: Uuid, emails: &[String]) -> Result<Vec<Lead>> {
    Ok(sql_query(format!(
        "{SELECT} WHERE l.project_id = $1 AND lower(l.email) = ANY ($2) ORDER BY l.id FOR UPDATE OF l"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Array<Text>, _>(emails)
    .load(connection)?)
}

/// All of a project, the oldest first.
pub(super) fn all(connection: &mut PgConnection, project_id: Uuid) -> Result<Vec<Lead>> {
    Ok(sql_query(format!("{SELECT} WHERE l.project_id = $1 ORDER BY l.id LIMIT $2"))
        .bind::<SqlUuid, _>(project_id)
        .bind::<BigInt, _>(MOST_LEADS * 2)
        .load(connection)?)
}

/// The flag says whether the key had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the project, a field that is wrong, too many of them, an address that another lead has, the key's
/// misuse.
pub fn create(
    connection: &mut PgConnection,
    project_id: Uuid,
    new: &NewLead,
    key: Option<&IdempotencyKey>,
) -> Result<(Lead, bool)> {
    let (id, replayed) = connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        let new = new.clone().with_offer(connection, project_id)?.checked()?;
        owned::refuse_more(connection, "leads", project_id, 1, MOST_LEADS)?;
        insert(connection, project_id, &[(id, &new)])?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}

/// New ones that were checked.
pub(super) fn insert(connection: &mut PgConnection, project_id: Uuid, new: &[(Uuid, &NewLead)]) -> Result<()> {
    fn column<'a, T>(new: &[(Uuid, &'a NewLead)], of: impl Fn(&'a NewLead) -> T) -> Vec<T> {
        new.iter().map(|(_, lead)| of(lead)).collect()
    }
    sql_query(
        "INSERT INTO leads (id, project_id, name, company, email, phone, source, stage, offer_id, value, currency) \
         SELECT id, $1, name, company, email, phone, source, stage, offer_id, value, currency \
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
           AS new (id, name, company, email, phone, source, stage, offer_id, value, currency)",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Array<SqlUuid>, _>(new.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(column(new, |lead| lead.name.as_str()))
    .bind::<Array<Nullable<Text>>, _>(column(new, |lead| lead.company.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(new, |lead| lead.email.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(new, |lead| lead.phone.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(new, |lead| lead.source.as_deref()))
    .bind::<Array<Text>, _>(column(new, |lead| lead.stage.unwrap_or(LeadStage::New)))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(new, |lead| lead.offer_id))
    .bind::<Array<Nullable<BigInt>>, _>(column(new, |lead| lead.value))
    .bind::<Array<Nullable<Text>>, _>(column(new, |lead| lead.currency.as_deref()))
    .execute(connection)
    .map_err(of_email)?;
    Ok(())
}

/// # Errors
/// [`Error::NotFound`], a field that is wrong, and [`Error::Conflict`] for a stage that it may not come to, or an address
/// that another lead has.
pub fn update(connection: &mut PgConnection, id: Uuid, edit: LeadEdit) -> Result<Lead> {
    connection.transaction(|connection| {
        // Nobody changes it in between.
        sql_query("SELECT FROM leads WHERE id = $1 FOR UPDATE").bind::<SqlUuid, _>(id).execute(connection)?;
        let now = get(connection, id)?;
        let (project_id, was) = (now.project_id, now.stage);
        let lead = NewLead::edited(now, edit).with_offer(connection, project_id)?.checked()?;
        was.check(lead.stage.unwrap_or(was))?;
        write(connection, id, &lead)?;
        get(connection, id)
    })
}

pub(super) fn write(connection: &mut PgConnection, id: Uuid, lead: &NewLead) -> Result<()> {
    sql_query(
        "UPDATE leads SET name = $2, company = $3, email = $4, phone = $5, source = $6, stage = coalesce($7, stage), \
         stage_at = CASE WHEN $7 <> stage THEN now() ELSE stage_at END, offer_id = $8, value = $9, currency = $10, \
         updated_at = now() WHERE id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(&lead.name)
    .bind::<Nullable<Text>, _>(&lead.company)
    .bind::<Nullable<Text>, _>(&lead.email)
    .bind::<Nullable<Text>, _>(&lead.phone)
    .bind::<Nullable<Text>, _>(&lead.source)
    .bind::<Nullable<Text>, _>(lead.stage)
    .bind::<Nullable<SqlUuid>, _>(lead.offer_id)
    .bind::<Nullable<BigInt>, _>(lead.value)
    .bind::<Nullable<Text>, _>(&lead.currency)
    .execute(connection)
    .map_err(of_email)?;
    Ok(())
}

fn of_email(error: Diesel) -> Error {
    match &error {
        Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
            if info.constraint_name() == Some("leads_email") =>
        {
            Error::Conflict(
                "another lead of this project has this e-mail address; change that one, or delete it".to_owned(),
            )
        }
        _ => error.into(),
    }
}

/// Takes it away with its notes and tells whose it was.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(connection: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    owned::delete(connection, "leads", id)?.ok_or(Error::NotFound("lead", id))
}

/// How many leads are at a stage, and what they may bring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageSum {
    pub stage: LeadStage,
    pub leads: i64,
    /// One for each currency.
    pub values: Vec<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Money {
    pub currency: String,
    /// In the smallest unit of the currency.
    pub value: i64,
}

/// All stages, in their order.
///
/// # Errors
/// [`Error::NotFound`] for the project.
pub fn summary(connection: &mut PgConnection, project_id: Uuid) -> Result<Vec<StageSum>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        stage: LeadStage,
        #[diesel(sql_type = Nullable<Text>)]
        currency: Option<String>,
        #[diesel(sql_type = BigInt)]
        leads: i64,
        #[diesel(sql_type = Nullable<BigInt>)]
        value: Option<i64>,
    }
    crate::projects::exists(connection, project_id)?;
    let rows: Vec<Row> = sql_query(
        "SELECT stage, currency, count(*) AS leads, sum(value)::bigint AS value FROM leads WHERE project_id = $1 \
         GROUP BY stage, currency ORDER BY currency",
    )
    .bind::<SqlUuid, _>(project_id)
    .load(connection)?;
    let sum = |stage: &LeadStage| {
        let of_stage = || rows.iter().filter(|row| row.stage == *stage);
        let amount = |row: &Row| Some(Money { currency: row.currency.clone()?, value: row.value? });
        StageSum {
            stage: *stage,
            leads: of_stage().map(|row| row.leads).sum(),
            values: of_stage().filter_map(amount).collect(),
        }
    };
    Ok(LeadStage::ALL.iter().map(sum).collect())
}
