//! Contacts in a real Postgres: what is kept, who is found, who is named, and that people can be erased.

use titan_core::contacts::{self, Contact, ContactEdit, Filter, NewContact};
use titan_core::sales::{self, NewLead};
use titan_core::{Error, people};

use crate::support::Bench;

fn new(name: &str) -> NewContact {
    NewContact { name: name.to_owned(), ..NewContact::default() }
}

fn write(bench: &mut Bench, new: &NewContact) -> Contact {
    contacts::create(&mut bench.connection, bench.project, new, None).unwrap().0
}

fn found(bench: &mut Bench, filter: &Filter) -> Vec<String> {
    let page = contacts::list(&mut bench.connection, bench.project, filter, None, None).unwrap();
    page.items.into_iter().map(|contact| contact.name).collect()
}

#[test]
fn a_contact_is_written_changed_found_and_deleted() {
    let mut bench = Bench::new();
    let ida = NewContact {
        role: Some(" Owner ".to_owned()),
        email: Some("ida@example.com".to_owned()),
        phone: Some("+49 30 1".to_owned()),
        organisation: Some("Tea House".to_owned()),
        notes: Some("  ".to_owned()),
        tags: vec!["VIP".to_owned(), "vip".to_owned(), "tea".to_owned()],
        ..new("Ida Holm")
    };
    let ida = write(&mut bench, &ida);
    assert_eq!((ida.role.as_deref(), ida.notes.as_deref()), (Some("Owner"), None));
    assert_eq!(ida.tags, ["vip", "tea"]);
    write(&mut bench, &new("Bo Berg"));

    let by = |q: Option<&str>, tag: Option<&str>| Filter { q: q.map(str::to_owned), tag: tag.map(str::to_owned) };
    assert_eq!(found(&mut bench, &by(None, None)), ["Bo Berg", "Ida Holm"]);
    assert_eq!(found(&mut bench, &by(Some("hous IDA"), None)), ["Ida Holm"]);
    assert_eq!(found(&mut bench, &by(Some("ida@example.com"), None)), ["Ida Holm"]);
    assert_eq!(found(&mut bench, &by(None, Some("TEA"))), ["Ida Holm"]);
    assert!(found(&mut bench, &by(Some("100%"), None)).is_empty());

    let edit = ContactEdit { email: Some(None), tags: Some(Vec::new()), ..ContactEdit::default() };
    let changed = contacts::update(&mut bench.connection, ida.id, edit).unwrap();
    assert_eq!((changed.email.as_deref(), changed.phone.as_deref(), changed.tags.len()), (None, Some("+49 30 1"), 0));
    assert_eq!(contacts::delete(&mut bench.connection, ida.id).unwrap(), bench.project);
    assert!(matches!(contacts::get(&mut bench.connection, ida.id), Err(Error::NotFound("contact", _))));
    assert!(matches!(contacts::delete(&mut bench.connection, ida.id), Err(Error::NotFound("contact", _))));
}

#[test]
fn what_is_wrong_is_named_and_nothing_is_kept_of_it() {
    let mut bench = Bench::new();
    let some = |field: &str| Some(field.to_owned());
    for (wrong, field) in [
        (new(" "), "name"),
        (new("a\0b"), "name"),
        (NewContact { email: some("nobody"), ..new("x") }, "email"),
        (NewContact { phone: some("call me"), ..new("x") }, "phone"),
        (NewContact { role: Some("x".repeat(201)), ..new("x") }, "role"),
        (NewContact { tags: (0..21).map(|n| n.to_string()).collect(), ..new("x") }, "tags"),
    ] {
        let refused = contacts::create(&mut bench.connection, bench.project, &wrong, None).unwrap_err();
        assert!(matches!(&refused, Error::Invalid { field: named, .. } if *named == field), "{refused}");
    }
    assert_eq!(bench.test.count("SELECT count(*) FROM contacts"), 0);
}

#[test]
fn a_message_names_people_by_any_part_of_their_name() {
    let mut bench = Bench::new();
    let ida =
        NewContact { role: Some("owner".to_owned()), organisation: Some("Tea House".to_owned()), ..new("Ida Holm") };
    write(&mut bench, &ida);
    write(&mut bench, &new("Ida Berg"));
    write(&mut bench, &new("Idaho Jones"));
    let mut named = |text: &str| contacts::named(&mut bench.connection, bench.project, text, 10).unwrap();
    assert_eq!(named("Write to Ida Holm, please"), ["Ida Holm (owner, Tea House)", "Ida Berg"]);
    assert!(named("Write to somebody").is_empty());
    assert!(named("?!").is_empty());
}

#[test]
fn a_person_is_erased_as_contact_and_lead_and_from_the_notes_of_others() {
    let mut bench = Bench::new();
    let notes = |text: &str| Some(text.to_owned());
    write(&mut bench, &new("Ida Holm"));
    write(&mut bench, &NewContact { notes: notes("Knows ida holm well"), ..new("Bo Berg") });
    write(&mut bench, &NewContact { notes: notes("Lives in Idaho"), ..new("Ada Berg") });
    let lead = |name: &str| NewLead { name: name.to_owned(), ..NewLead::default() };
    let bo = sales::create_lead(&mut bench.connection, bench.project, &lead("Bo Berg"), None).unwrap().0;
    sales::create_lead(&mut bench.connection, bench.project, &lead("Ida  Holm"), None).unwrap();
    for note in ["Ida Holm called for him", "He called"] {
        sales::add_note(&mut bench.connection, bo.id, note, None).unwrap();
    }
    let erased = people::erase(&mut bench.connection, Some(bench.project), "Ida Holm").unwrap();
    assert_eq!((erased.contacts, erased.leads), (1, 1));
    assert_eq!(found(&mut bench, &Filter::default()), ["Ada Berg", "Bo Berg"]);
    assert_eq!(bench.test.count("SELECT count(*) FROM contacts WHERE notes IS NULL"), 1);
    assert_eq!(bench.test.count("SELECT count(*) FROM lead_notes"), 1);
    let again = people::erase(&mut bench.connection, None, "Ida Holm").unwrap();
    assert_eq!((again.contacts, again.leads), (0, 0));
}

#[test]
fn a_tag_that_nobody_can_have_is_refused() {
    let mut bench = Bench::new();
    let filter = Filter { tag: Some("\0".to_owned()), ..Filter::default() };
    let refused = contacts::list(&mut bench.connection, bench.project, &filter, None, None);
    assert!(matches!(&refused, Err(Error::Invalid { field: "tag", .. })), "{refused:?}");
}
