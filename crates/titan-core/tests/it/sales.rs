//! Offers and leads in a real Postgres: their rules, twice; what an import does, and that it does what it said.

use diesel::sql_types::{Bool, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use titan_core::Error;
use titan_core::engine::IdempotencyKey;
use titan_core::sales::{
    self, ImportAction, Lead, LeadEdit, LeadFilter, LeadImport, LeadStage, Mapping, Money, NewLead, NewOffer, Offer,
    OfferEdit, OfferState,
};

use crate::support::{Bench, answered};

fn offer(bench: &mut Bench, title: &str) -> Offer {
    let new = NewOffer {
        title: title.to_owned(),
        price: 4900,
        currency: "eur".to_owned(),
        unit: "month".to_owned(),
        ..NewOffer::default()
    };
    sales::create_offer(&mut bench.connection, bench.project, &new, None).unwrap().0
}

fn lead(bench: &mut Bench, new: NewLead) -> Lead {
    sales::create_lead(&mut bench.connection, bench.project, &new, None).unwrap().0
}

fn named(name: &str) -> NewLead {
    NewLead { name: name.to_owned(), ..NewLead::default() }
}

fn import(bench: &mut Bench, csv: &str, dry_run: bool) -> LeadImport {
    sales::import(&mut bench.connection, bench.project, csv.as_bytes(), &Mapping::new(), dry_run, None).unwrap()
}

fn leads(bench: &mut Bench) -> Vec<Lead> {
    let page = sales::leads(&mut bench.connection, bench.project, &LeadFilter::default(), None, None).unwrap();
    page.items.into_iter().rev().collect()
}

#[test]
fn an_offer_is_drafted_published_withdrawn_and_deleted() {
    let mut bench = Bench::new();
    let offer = offer(&mut bench, "Website");
    assert_eq!((offer.state, offer.currency.as_str(), offer.leads), (OfferState::Draft, "EUR", 0));
    let mut change = |edit: OfferEdit| sales::update_offer(&mut bench.connection, offer.id, edit);
    let to = |state: &str| OfferEdit { state: Some(state.to_owned()), ..OfferEdit::default() };
    assert!(matches!(change(to("withdrawn")), Err(Error::Conflict(why)) if why.contains("may become published")));
    assert_eq!(change(to("published")).unwrap().state, OfferState::Published);
    assert!(matches!(change(to("sold")), Err(Error::Invalid { field: "state", .. })));
    let price = OfferEdit { price: Some(0), description: Some(Some("Free".to_owned())), ..OfferEdit::default() };
    assert_eq!(change(price).unwrap().price, 0);
    for (wrong, field) in [
        (OfferEdit { price: Some(-1), ..OfferEdit::default() }, "price"),
        (OfferEdit { currency: Some("XXX".to_owned()), ..OfferEdit::default() }, "currency"),
        (OfferEdit { title: Some(" ".to_owned()), ..OfferEdit::default() }, "title"),
        (OfferEdit { output_id: Some(Some(titan_core::ids::new())), ..OfferEdit::default() }, "output_id"),
    ] {
        let refused = change(wrong).unwrap_err();
        assert!(matches!(&refused, Error::Invalid { field: named, .. } if *named == field), "{refused}");
    }
    let ida = lead(&mut bench, NewLead { offer_id: Some(offer.id), value: Some(100), ..named("Ida") });
    assert_eq!(ida.currency.as_deref(), Some("EUR"), "that of the offer");
    assert_eq!(sales::offer(&mut bench.connection, offer.id).unwrap().leads, 1);
    sales::delete_offer(&mut bench.connection, offer.id).unwrap();
    assert_eq!(sales::lead(&mut bench.connection, ida.id).unwrap().offer_id, None);
}

#[test]
fn what_is_sold_is_an_output_of_the_project_that_nobody_rejected() {
    let mut bench = Bench::new();
    bench.submit("hello");
    bench.work(answered("hi"));
    bench.test.execute(&format!(
        "INSERT INTO outputs (id, project_id, task_id, run_id, name, kind, media_type, size, uri) \
         SELECT gen_random_uuid(), project_id, task_id, id, 'Site', 'link', 'text/html', 0, 'https://example.com' FROM runs \
         WHERE project_id = '{}'",
        bench.project
    ));
    let output = titan_core::outputs::list(&mut bench.connection, bench.project, None, None, None).unwrap().items;
    let output = output.iter().find(|output| output.name == "Site").unwrap().id;
    let offer = offer(&mut bench, "Website");
    let link = OfferEdit { output_id: Some(Some(output)), ..OfferEdit::default() };
    let linked = sales::update_offer(&mut bench.connection, offer.id, link.clone()).unwrap();
    assert_eq!((linked.output_id, linked.output_name.as_deref()), (Some(output), Some("Site")));
    bench.test.execute("UPDATE outputs SET review = 'rejected', reviewed_at = now() WHERE name = 'Site'");
    let publish = OfferEdit { state: Some("published".to_owned()), ..OfferEdit::default() };
    let refused = sales::update_offer(&mut bench.connection, offer.id, publish).unwrap_err();
    assert!(refused.to_string().contains("rejected"), "{refused}");
}

#[test]
fn a_lead_moves_by_the_rules_and_tells_since_when() {
    let mut bench = Bench::new();
    let ida = lead(&mut bench, NewLead { email: Some("ida@example.com".to_owned()), ..named("Ida") });
    let mut to = |stage| {
        sales::update_lead(&mut bench.connection, ida.id, LeadEdit { stage: Some(stage), ..LeadEdit::default() })
    };
    assert!(matches!(to(LeadStage::Won), Err(Error::Conflict(why)) if why.contains("does not go from new to won")));
    let moved = to(LeadStage::Qualified).unwrap();
    assert!(moved.stage == LeadStage::Qualified && moved.stage_at > ida.stage_at);
    assert_eq!(to(LeadStage::Qualified).unwrap().stage_at, moved.stage_at, "staying is no move");
    to(LeadStage::Won).unwrap();
    let twin = NewLead { email: Some("IDA@example.com".to_owned()), ..named("Other") };
    let refused = sales::create_lead(&mut bench.connection, bench.project, &twin, None).unwrap_err();
    assert!(matches!(refused, Error::Conflict(why) if why.contains("another lead")));
    let value = LeadEdit { value: Some(Some(100)), ..LeadEdit::default() };
    let refused = sales::update_lead(&mut bench.connection, ida.id, value.clone()).unwrap_err();
    assert!(matches!(refused, Error::Invalid { field: "currency", .. }));
    let valued = LeadEdit { currency: Some("USD".to_owned()), ..value };
    assert_eq!(sales::update_lead(&mut bench.connection, ida.id, valued).unwrap().currency.as_deref(), Some("USD"));
    let sums = sales::summary(&mut bench.connection, bench.project).unwrap();
    let won = sums.iter().find(|sum| sum.stage == LeadStage::Won).unwrap();
    assert_eq!((won.leads, &won.values), (1, &vec![Money { currency: "USD".to_owned(), value: 100 }]));
    let none = LeadEdit { value: Some(None), ..LeadEdit::default() };
    assert_eq!(sales::update_lead(&mut bench.connection, ida.id, none).unwrap().currency, None);
}

#[derive(QueryableByName)]
struct Allowed {
    #[diesel(sql_type = Bool)]
    allowed: bool,
}

fn in_postgres(connection: &mut PgConnection, function: &str, was: &str, becomes: &str) -> bool {
    sql_query(format!("SELECT {function}($1, $2) AS allowed"))
        .bind::<Text, _>(was)
        .bind::<Text, _>(becomes)
        .get_result::<Allowed>(connection)
        .unwrap()
        .allowed
}

#[test]
fn the_rules_stand_twice_and_are_the_same() {
    let mut bench = Bench::new();
    for was in LeadStage::ALL {
        for next in LeadStage::ALL {
            let there = in_postgres(&mut bench.connection, "titan_lead_edge", was.as_str(), next.as_str());
            assert_eq!(was.may_become(*next), there, "{was} -> {next}");
        }
    }
    for was in OfferState::ALL {
        for next in OfferState::ALL {
            let there = in_postgres(&mut bench.connection, "titan_offer_edge", was.as_str(), next.as_str());
            assert_eq!(was.may_become(*next), there, "{was} -> {next}");
        }
    }
    lead(&mut bench, named("Ida"));
    let past = sql_query("UPDATE leads SET stage = 'won'").execute(&mut bench.connection);
    assert!(past.unwrap_err().to_string().contains("does not go from new to won"));
}

#[test]
fn an_import_tells_first_and_then_does_just_that() {
    let mut bench = Bench::new();
    let ida = lead(
        &mut bench,
        NewLead { email: Some("Ida@Example.com".to_owned()), company: Some("Tea House".to_owned()), ..named("Ida") },
    );
    let csv = "Name,E-Mail,Company,Phone,Value,Currency,Notes\n\
               Ida H.,ida@example.com,Other,+49 1,100,EUR,Called\n\
               Bo,bo@example.com,,,,,\n\
               Bo again,BO@example.com,Berg,,,,Second\n\
               Nobody,not an address,,,,,\n\
               Without,,,,,,\n";
    let told = import(&mut bench, csv, true);
    assert!(told.dry_run && leads(&mut bench).len() == 1, "nothing is written");
    assert_eq!((told.created, told.merged, told.refused), (2, 2, 1));
    let actions: Vec<ImportAction> = told.rows.iter().map(|row| row.action).collect();
    use ImportAction::{Created, Merged, Refused};
    assert_eq!(actions, [Merged, Created, Merged, Refused, Created]);
    assert_eq!(told.rows[0].detail.as_deref(), Some("adds phone, value, a note"));
    assert_eq!((told.rows[0].lead_id, told.rows[1].lead_id), (Some(ida.id), None));
    assert_eq!((told.rows[3].line, told.rows[3].detail.as_deref().unwrap().starts_with("email:")), (5, true));

    let done = import(&mut bench, csv, false);
    assert_eq!((done.created, done.merged, done.refused), (2, 2, 1));
    let leads = leads(&mut bench);
    let brief: Vec<_> =
        leads.iter().map(|lead| (lead.name.as_str(), lead.company.as_deref(), lead.value, lead.notes)).collect();
    assert_eq!(
        brief,
        [("Ida", Some("Tea House"), Some(10_000), 1), ("Bo", Some("Berg"), None, 1), ("Without", None, None, 0)]
    );
    assert_eq!(done.rows[2].lead_id, Some(leads[1].id));

    // Once more: whoever has an address is known, and nothing is added but the notes.
    let again = import(&mut bench, csv, true);
    assert_eq!((again.created, again.merged), (1, 3));
    assert_eq!(again.rows[1].detail.as_deref(), Some("adds nothing to a lead that is there"));
}

#[test]
fn a_table_comes_in_once_by_its_key_and_too_many_do_not_come_in() {
    let mut bench = Bench::new();
    let key = IdempotencyKey::new("import", "k", b"body");
    let mut import = |dry_run| {
        let mapping = Mapping::new();
        sales::import(&mut bench.connection, bench.project, b"name\nIda\n", &mapping, dry_run, Some(&key))
    };
    assert!(import(true).is_ok() && import(true).is_ok() && import(false).is_ok());
    assert!(matches!(import(false), Err(Error::Conflict(why)) if why.contains("imported before")));
    let most = sales::MOST_LEADS;
    bench.test.execute(&format!(
        "INSERT INTO leads (id, project_id, name) SELECT gen_random_uuid(), project_id, name FROM leads, generate_series(2, {most})"
    ));
    let full = sales::import(&mut bench.connection, bench.project, b"name\nBo\n", &Mapping::new(), true, None);
    assert!(matches!(full, Err(Error::Conflict(why)) if why.contains("at most 20000 leads")));
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let mut bench = Bench::new();
    let ida = NewLead {
        email: Some("ida@example.com".to_owned()),
        phone: Some("+49 30 1".to_owned()),
        source: Some("=1+1".to_owned()),
        stage: Some(LeadStage::Proposal),
        value: Some(123_456),
        currency: Some("EUR".to_owned()),
        ..named("Holm, \"Ida\"")
    };
    let ida = lead(&mut bench, ida);
    let table = String::from_utf8(sales::export(&mut bench.connection, bench.project).unwrap()).unwrap();
    assert!(table.contains("'=1+1") && table.contains("'+49 30 1") && table.contains("1234.56"), "{table}");
    sales::delete_lead(&mut bench.connection, ida.id).unwrap();
    assert_eq!(import(&mut bench, &table, false).created, 1);
    let back = leads(&mut bench).remove(0);
    let facts = |lead: &Lead| {
        let Lead { name, email, phone, source, stage, value, currency, .. } = lead.clone();
        (name, email, phone, source, stage, value, currency)
    };
    assert_eq!(facts(&back), facts(&ida));
}

#[test]
fn notes_are_kept_with_their_time_and_go_with_the_lead() {
    let mut bench = Bench::new();
    let ida = lead(&mut bench, named("Ida"));
    for note in ["first", "second"] {
        sales::add_note(&mut bench.connection, ida.id, note, None).unwrap();
    }
    let notes = sales::notes(&mut bench.connection, ida.id, None, None).unwrap().items;
    assert_eq!(notes.iter().map(|note| note.content.as_str()).collect::<Vec<_>>(), ["second", "first"]);
    assert_eq!(sales::delete_note(&mut bench.connection, notes[0].id).unwrap().notes, 1);
    assert!(matches!(sales::delete_note(&mut bench.connection, notes[0].id), Err(Error::NotFound("note", _))));
    assert!(matches!(
        sales::add_note(&mut bench.connection, ida.id, " ", None),
        Err(Error::Invalid { field: "content", .. })
    ));
    sales::delete_lead(&mut bench.connection, ida.id).unwrap();
    assert_eq!(bench.test.count("SELECT count(*) FROM lead_notes"), 0);
}

#[test]
fn an_import_adds_no_more_notes_than_a_lead_may_have() {
    let mut bench = Bench::new();
    let ida = lead(&mut bench, NewLead { email: Some("ida@example.com".to_owned()), ..named("Ida") });
    bench.test.execute(&format!(
        "INSERT INTO lead_notes (id, lead_id, content) SELECT gen_random_uuid(), '{}', 'x' FROM generate_series(1, 499)",
        ida.id
    ));
    let csv = "name,email,note\nIda,ida@example.com,one\nIda,ida@example.com,two\nIda,ida@example.com,\n";
    for dry_run in [true, false] {
        let done = import(&mut bench, csv, dry_run);
        assert_eq!((done.merged, done.refused), (2, 1));
        assert!(done.rows[1].detail.as_ref().unwrap().contains("at most 500 notes"), "{:?}", done.rows[1]);
    }
    assert_eq!(bench.test.count("SELECT count(*) FROM lead_notes"), 500);
}

#[test]
fn the_same_key_gives_the_same_lead_also_when_its_offer_is_gone() {
    let mut bench = Bench::new();
    let website = offer(&mut bench, "Website");
    let new = NewLead { offer_id: Some(website.id), ..named("Ida") };
    let key = IdempotencyKey::new("POST", "k", b"body");
    let create = |bench: &mut Bench| sales::create_lead(&mut bench.connection, bench.project, &new, Some(&key));
    let first = create(&mut bench).unwrap().0;
    sales::delete_offer(&mut bench.connection, website.id).unwrap();
    let (again, replayed) = create(&mut bench).unwrap();
    assert_eq!((again.id, replayed), (first.id, true));
}
