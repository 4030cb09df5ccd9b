//! Sales: what a project offers and for how much, and who may buy it. Offers and leads are rows that people write; the rules
//! by which they move are pure functions (`stage`). Lists of leads come in and go out as CSV (`import`, `export`).

mod currency;
mod export;
mod import;
mod leads;
mod notes;
mod offers;
mod stage;

pub(crate) use currency::checked_currency;
pub use export::export;
pub use import::{
    ImportAction, ImportColumn, ImportedRow, LeadField, LeadImport, MAX_IMPORT, MAX_ROWS, Mapping, import,
};
pub use leads::{
    Lead, LeadEdit, LeadFilter, Money, NewLead, StageSum, create as create_lead, delete as delete_lead, get as lead,
    list as leads, summary, update as update_lead,
};
pub use notes::{LeadNote, add as add_note, delete as delete_note, list as notes};
pub use offers::{
    NewOffer, Offer, OfferEdit, create as create_offer, delete as delete_offer, get as offer, list as offers,
    update as update_offer,
};
pub use stage::{LeadStage, OfferState};

/// Offers and leads of a project, and notes of a lead.
pub const MOST_OFFERS: i64 = 500;
pub const MOST_LEADS: i64 = 20_000;
pub const MOST_NOTES: i64 = 500;
/// Of a price or a value, in the smallest unit of its currency.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;
