//! Leads from a table: first what would happen, row by row, then the same for real in one transaction. Rows that are refused
//! keep no other from coming in.

mod columns;
mod table;

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{Connection, PgConnection};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use self::table::{Row, Table};
use super::{Lead, MOST_LEADS, MOST_NOTES, NewLead, leads, notes};
use crate::engine::IdempotencyKey;
use crate::state::text_enum;
use crate::{Error, Result, idempotency, ids, owned};

pub use columns::{ImportColumn, LeadField, Mapping};

/// Bytes of a table.
pub const MAX_IMPORT: usize = 5 << 20;
/// Rows of a table, besides its header.
pub const MAX_ROWS: usize = 5_000;

text_enum! {
    /// What becomes of a row.
    ImportAction { Created = "created", Merged = "merged", Refused = "refused" }
}

/// What becomes, or would become, of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LeadImport {
    /// Nothing was written.
    pub dry_run: bool,
    pub created: usize,
    pub merged: usize,
    pub refused: usize,
    /// The columns of the table, and what each was taken for.
    pub columns: Vec<ImportColumn>,
    /// In the order of the table.
    pub rows: Vec<ImportedRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportedRow {
    /// The line of the file that it begins on; the header is line 1.
    pub line: u64,
    pub action: ImportAction,
    /// What it is called, as far as it says so.
    pub name: String,
    pub email: Option<String>,
    /// Why it is refused, or what it adds to a lead that is there.
    pub detail: Option<String>,
    /// The lead that it is merged with or has become; null when nothing was written yet.
    pub lead_id: Option<Uuid>,
}

/// A row with an e-mail address that the project knows, or that stands further up in the table, is merged: what the lead
/// lacks is filled in, nothing is overwritten, and a note is added.
///
/// # Errors
/// [`Error::NotFound`] for the project; a table that cannot be read, or is too long; too many leads; a key that was used
/// before.
pub fn import(
    connection: &mut PgConnection,
    project_id: Uuid,
    csv: &[u8],
    mapping: &Mapping,
    dry_run: bool,
    key: Option<&IdempotencyKey>,
) -> Result<LeadImport> {
    let table = Table::read(csv, mapping)?;
    connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        if !dry_run && idempotency::claim_one(connection, key)?.1 {
            let reason = "this table was imported before, with the same Idempotency-Key; the leads are there";
            return Err(Error::Conflict(reason.to_owned()));
        }
        let emails: Vec<String> = table.rows.iter().filter_map(Row::address).collect();
        let known = leads::of_emails(connection, project_id, &emails)?;
        let plan = Plan::of(&table, &known);
        let more = i64::try_from(plan.new.len()).unwrap_or(i64::MAX);
        owned::refuse_more(connection, "leads", project_id, more, MOST_LEADS)?;
        if !dry_run {
            plan.write(connection, project_id)?;
        }
        Ok(plan.told(table.columns, dry_run))
    })
}

/// What is to be written, and what is told of each row.
struct Plan {
    /// Those that are there and those to come.
    leads: HashMap<Uuid, NewLead>,
    by_email: HashMap<String, Uuid>,
    new: Vec<Uuid>,
    filled: BTreeSet<Uuid>,
    notes: Vec<(Uuid, Uuid, String)>,
    /// How many each of the leads has, with those to come.
    note_counts: HashMap<Uuid, i64>,
    rows: Vec<ImportedRow>,
}

impl Plan {
    fn of(table: &Table, known: &[Lead]) -> Self {
        let address = |lead: &Lead| Some((lead.email.as_ref()?.to_lowercase(), lead.id));
        let mut plan = Plan {
            leads: known.iter().map(|lead| (lead.id, as_new(lead))).collect(),
            by_email: known.iter().filter_map(address).collect(),
            new: Vec::new(),
            filled: BTreeSet::new(),
            notes: Vec::new(),
            note_counts: known.iter().map(|lead| (lead.id, lead.notes)).collect(),
            rows: Vec::new(),
        };
        for row in &table.rows {
            let told = plan.take(row);
            plan.rows.push(told);
        }
        plan
    }

    fn take(&mut self, row: &Row) -> ImportedRow {
        let told = row.told();
        let lead = match &row.lead {
            Ok(lead) => lead,
            Err(why) => return ImportedRow { detail: Some(why.clone()), ..told },
        };
        let address = row.address();
        let known = address.as_ref().and_then(|address| self.by_email.get(address)).copied();
        let id = known.unwrap_or_else(ids::new);
        if let Some(note) = &row.note {
            let count = self.note_counts.entry(id).or_default();
            if *count >= MOST_NOTES {
                return ImportedRow { detail: Some(notes::too_many()), ..told };
            }
            *count += 1;
            self.notes.push((ids::new(), id, note.clone()));
        }
        if let Some(there) = self.leads.get_mut(&id) {
            let added = fill(there, lead);
            if !added.is_empty() && !self.new.contains(&id) {
                self.filled.insert(id);
            }
            let detail = Some(adds(&added, row.note.is_some()));
            return ImportedRow { action: ImportAction::Merged, detail, lead_id: Some(id), ..told };
        }
        self.new.push(id);
        self.leads.insert(id, lead.clone());
        self.by_email.extend(address.map(|address| (address, id)));
        ImportedRow { action: ImportAction::Created, lead_id: Some(id), ..told }
    }

    fn write(&self, connection: &mut PgConnection, project_id: Uuid) -> Result<()> {
        let lead = |id: &Uuid| Some((*id, self.leads.get(id)?));
        leads::insert(connection, project_id, &self.new.iter().filter_map(lead).collect::<Vec<_>>())?;
        for (id, lead) in self.filled.iter().filter_map(lead) {
            leads::write(connection, id, lead)?;
        }
        notes::insert(connection, &self.notes)
    }

    fn told(mut self, columns: Vec<ImportColumn>, dry_run: bool) -> LeadImport {
        if dry_run {
            let new: HashSet<Uuid> = self.new.iter().copied().collect();
            for row in &mut self.rows {
                row.lead_id = row.lead_id.filter(|id| !new.contains(id));
            }
        }
        let count = |action| self.rows.iter().filter(|row| row.action == action).count();
        let (created, merged, refused) =
            (count(ImportAction::Created), count(ImportAction::Merged), count(ImportAction::Refused));
        LeadImport { dry_run, created, merged, refused, columns, rows: self.rows }
    }
}

/// Fills in what is missing, and says what that was.
fn fill(there: &mut NewLead, more: &NewLead) -> Vec<&'static str> {
    let mut added = Vec::new();
    for (name, there, more) in [
        ("company", &mut there.company, &more.company),
        ("phone", &mut there.phone, &more.phone),
        ("source", &mut there.source, &more.source),
    ] {
        if there.is_none() && more.is_some() {
            there.clone_from(more);
            added.push(name);
        }
    }
    if there.value.is_none() && more.value.is_some() {
        (there.value, there.currency) = (more.value, more.currency.clone());
        added.push("value");
    }
    added
}

fn adds(added: &[&str], note: bool) -> String {
    let added: Vec<&str> = added.iter().copied().chain(note.then_some("a note")).collect();
    if added.is_empty() {
        "adds nothing to a lead that is there".to_owned()
    } else {
        format!("adds {}", added.join(", "))
    }
}

fn as_new(lead: &Lead) -> NewLead {
    NewLead {
        name: lead.name.clone(),
        company: lead.company.clone(),
        email: lead.email.clone(),
        phone: lead.phone.clone(),
        source: lead.source.clone(),
        stage: Some(lead.stage),
        offer_id: lead.offer_id,
        value: lead.value,
        currency: lead.currency.clone(),
    }
}
