//! Memories in a real Postgres: who finds what, what is merged, and what is gone after an erase.

use chrono::{TimeDelta, Utc};
use diesel::Connection as _;
use serde_json::json;
use titan_core::db::PgConnection;
use titan_core::engine::{Done, Outcome, Write};
use titan_core::ids::Uuid;
use titan_core::memories::{
    self, Asked, Edit, Embedding, Filter, Form, Memory, MemoryScope, NewMemory, Remembered, Trust, Unembedded,
};
use titan_core::projects::{self, NewProject};
use titan_core::queue::maintenance::{Kept, forget};
use titan_core::summaries::{self, Summary};
use titan_core::{Error, counters, events};

use crate::support::{Bench, answered, somebody_waits};

fn new(content: &str) -> NewMemory {
    NewMemory { content: content.to_owned(), ..NewMemory::default() }
}

fn write(bench: &mut Bench, new: &NewMemory) -> Memory {
    memories::create(&mut bench.connection, bench.project, new, None).unwrap().0
}

fn another_project(connection: &mut PgConnection) -> Uuid {
    let new = NewProject { name: "Other".to_owned(), project_type: None, template_ref: None, spec: None };
    projects::create(connection, &new, None).unwrap().0.id
}

fn contents(memories: &[Memory]) -> Vec<&str> {
    memories.iter().map(|memory| memory.content.as_str()).collect()
}

fn recalled(connection: &mut PgConnection, project_id: Uuid, agent: &str, question: &str) -> Vec<Memory> {
    memories::recall(connection, &Asked { project_id, agent, question, embedding: None }, 50).unwrap()
}

fn listed(connection: &mut PgConnection, project_id: Uuid, filter: &Filter) -> Vec<Memory> {
    memories::list(connection, project_id, filter, None, None).unwrap().items
}

fn found(connection: &mut PgConnection, project_id: Uuid, q: &str) -> Vec<String> {
    let hits = memories::search(connection, project_id, q, None, None).unwrap();
    hits.into_iter().map(|hit| hit.memory.content).collect()
}

fn fact(content: &str) -> Remembered {
    Remembered::new(content, Form::Fact, 0.7).unwrap()
}

/// A run that remembers these.
fn run_that_remembers(bench: &mut Bench, facts: Vec<Remembered>) -> Uuid {
    let run_id = bench.submit("hello").run_id.unwrap();
    bench.work(answered("hi"));
    let writes = facts.into_iter().map(Write::Memory).collect();
    bench.work(Outcome::Done(Done { output: json!({}), writes }));
    run_id
}

#[test]
fn a_memory_can_be_written_down_changed_and_forgotten() {
    let mut bench = Bench::new();
    let memory = write(&mut bench, &new(" likes tea "));
    assert_eq!(
        (memory.content.as_str(), memory.scope, memory.trust),
        ("likes tea", MemoryScope::Project, Trust::Person)
    );
    let refused = |bench: &mut Bench, new: &NewMemory| {
        memories::create(&mut bench.connection, bench.project, new, None).unwrap_err().to_string()
    };
    assert!(refused(&mut bench, &new(" ")).starts_with("content"));
    let scoped = |scope: &str| NewMemory { scope: Some(scope.to_owned()), ..new("x") };
    assert!(refused(&mut bench, &scoped("galaxy")).contains("project, agent, global"));
    assert!(refused(&mut bench, &scoped("agent")).starts_with("agent"));
    assert!(refused(&mut bench, &NewMemory { confidence: Some(2.0), ..new("x") }).starts_with("confidence"));
    let past = Some(Utc::now() - TimeDelta::days(1));
    assert!(refused(&mut bench, &NewMemory { expires_at: past, ..new("x") }).starts_with("expires_at"));

    let edit = Edit { content: Some("likes green tea".to_owned()), pinned: Some(true), ..Edit::default() };
    let edited = memories::update(&mut bench.connection, memory.id, &edit).unwrap();
    assert!(edited.pinned && edited.content == "likes green tea");
    assert_eq!(found(&mut bench.connection, bench.project, "gre"), ["likes green tea"]);
    let twin = write(&mut bench, &new("likes coffee"));
    let same = Edit { content: Some("Likes green tea!".to_owned()), ..Edit::default() };
    let refused = memories::update(&mut bench.connection, twin.id, &same).unwrap_err();
    assert!(matches!(refused, Error::Conflict(why) if why.contains(&memory.id.to_string())));

    memories::delete(&mut bench.connection, memory.id).unwrap();
    assert!(matches!(memories::delete(&mut bench.connection, memory.id), Err(Error::NotFound("memory", _))));
}

#[test]
fn secrets_do_not_reach_the_table() {
    let mut bench = Bench::new();
    assert_eq!(write(&mut bench, &new("the password: hunter2 opens it")).content, "the password: [removed] opens it");
    run_that_remembers(&mut bench, vec![fact("use sk-abcdefghijklmnop1234")]);
    assert_eq!(bench.test.count("SELECT count(*) FROM memories WHERE content ~ 'hunter2|sk-abc'"), 0);
}

#[test]
fn the_same_fact_is_kept_once_with_the_better_of_each() {
    let mut bench = Bench::new();
    let first = fact("The owner likes tea.").for_days(Some(3)).about(Some("Ida"));
    run_that_remembers(&mut bench, vec![first.clone(), fact("the owner likes  TEA").for_days(Some(9))]);
    let kept = listed(&mut bench.connection, bench.project, &Filter::default()).remove(0);
    assert_eq!((kept.confidence, kept.trust, kept.person.as_deref()), (0.7, Trust::Agent, Some("Ida")));
    assert!(kept.expires_at.unwrap() > Utc::now() + TimeDelta::days(8));

    // Another run, surer and for ever; what is told of it names the one that was kept.
    let run_id = run_that_remembers(&mut bench, vec![Remembered::new("The owner likes tea", Form::Fact, 0.9).unwrap()]);
    let told = events::after(&mut bench.connection, run_id, 0, 100).unwrap();
    let told = told.iter().find(|event| event.kind == "memory.created").unwrap();
    assert_eq!(told.data["memory_id"], json!(kept.id));
    assert_eq!(told.message.as_deref(), Some("Remembered once more"));

    // And a person, who is believed most.
    let again = write(&mut bench, &new("The owner likes tea."));
    assert_eq!((again.id, again.confidence, again.trust, again.expires_at), (kept.id, 1.0, Trust::Person, None));
    assert_eq!(counters::of_project(&mut bench.connection, bench.project).unwrap().memories, 1);

    // Other scopes are other memories, and records of runs are not merged.
    run_that_remembers(&mut bench, vec![fact("The owner likes tea").scoped(MemoryScope::Agent, "ada")]);
    let record = Remembered::new("The owner likes tea", Form::Record, 1.0).unwrap();
    run_that_remembers(&mut bench, vec![record.clone(), record]);
    assert_eq!(counters::of_project(&mut bench.connection, bench.project).unwrap().memories, 4);
}

#[test]
fn a_text_from_outside_is_not_believed_because_an_agent_says_it_too() {
    let mut bench = Bench::new();
    run_that_remembers(&mut bench, vec![fact("It is free").on_the_word_of(Trust::Outside), fact("It is free")]);
    run_that_remembers(&mut bench, vec![fact("It is free")]);
    assert_eq!(listed(&mut bench.connection, bench.project, &Filter::default())[0].trust, Trust::Outside);
}

#[test]
fn each_scope_is_seen_by_whom_it_is_for() {
    let mut bench = Bench::new();
    let other = another_project(&mut bench.connection);
    run_that_remembers(
        &mut bench,
        vec![
            fact("for the project"),
            fact("for ada").scoped(MemoryScope::Agent, "ada"),
            fact("for all").scoped(MemoryScope::Global, "ada"),
        ],
    );
    let connection = &mut bench.connection;
    let sees = |connection: &mut PgConnection, project, agent: &str| {
        let mut seen: Vec<String> =
            recalled(connection, project, agent, "x").into_iter().map(|memory| memory.content).collect();
        seen.sort();
        seen
    };
    assert_eq!(sees(connection, bench.project, "ada"), ["for ada", "for all", "for the project"]);
    assert_eq!(sees(connection, bench.project, "jason"), ["for all", "for the project"]);
    assert_eq!(sees(connection, other, "ada"), ["for all"]);
    // A person sees those of all agents.
    assert_eq!(listed(connection, bench.project, &Filter::default()).len(), 3);
    assert_eq!(found(connection, other, "for"), ["for all"]);
    let agents = Filter { scope: Some(MemoryScope::Agent), ..Filter::default() };
    assert_eq!(contents(&listed(connection, bench.project, &agents)), ["for ada"]);
    // A deleted project has nothing to say any more.
    projects::delete(connection, bench.project).unwrap();
    assert_eq!(sees(connection, other, "ada"), [""; 0]);
}

#[test]
fn what_a_model_is_shown_is_pinned_then_telling_then_new() {
    let mut bench = Bench::new();
    write(&mut bench, &NewMemory { pinned: true, ..new("always be polite") });
    write(&mut bench, &new("the invoice number is 17"));
    write(&mut bench, &new("the garden has roses"));
    let shown = recalled(&mut bench.connection, bench.project, "jason", "What was on the INVOICE?");
    assert_eq!(contents(&shown), ["always be polite", "the invoice number is 17", "the garden has roses"]);
    let ids: Vec<Uuid> = shown.iter().map(|memory| memory.id).collect();
    memories::used(&mut bench.connection, &ids).unwrap();
    let used = listed(&mut bench.connection, bench.project, &Filter::default());
    assert!(used.iter().all(|memory| memory.use_count == 1 && memory.used_at.is_some()));
    let pinned = Filter { pinned: Some(true), ..Filter::default() };
    assert_eq!(contents(&listed(&mut bench.connection, bench.project, &pinned)), ["always be polite"]);
}

#[test]
fn what_has_most_of_the_words_is_shown_before_what_has_the_common_ones() {
    let mut bench = Bench::new();
    write(&mut bench, &new("the number on the invoice for roses was 17"));
    for number in 0..60 {
        write(&mut bench, &new(&format!("the what the was the what the was the, and {number}")));
    }
    let shown = recalled(&mut bench.connection, bench.project, "jason", "What was the number on the invoice?");
    assert_eq!((shown.len(), shown[0].content.as_str()), (50, "the number on the invoice for roses was 17"));
}

#[test]
fn words_are_found_whole_begun_and_in_records_without_an_index() {
    let mut bench = Bench::new();
    write(&mut bench, &new("Mail ida@example.com about the Zürich office"));
    let record = Remembered::new("User asked: where is Zürich?", Form::Unindexed, 1.0).unwrap();
    run_that_remembers(&mut bench, vec![record]);
    let connection = &mut bench.connection;
    assert_eq!(found(connection, bench.project, "ida@example.com").len(), 1);
    assert_eq!(found(connection, bench.project, "zür off").len(), 1);
    assert_eq!(found(connection, bench.project, "zürich").len(), 2);
    assert_eq!(found(connection, bench.project, "zebra").len(), 0);
    assert!(memories::search(connection, bench.project, "?!", None, None).is_err());
    // What is a letter or a digit here is not always one to Postgres, and none of it is an operator.
    for odd in ["²", "Ⅷ ½", "q\u{301}", "ı ß", "١٢", "x & | ! ( ) <-> :* y", "'; --zq", "🙂1"] {
        assert_eq!(found(connection, bench.project, odd), [""; 0], "{odd}");
        recalled(connection, bench.project, "jason", odd);
    }
    for (q, hits) in [("zürich", 2), ("where zü", 1), ("zebra", 0)] {
        let filter = Filter { q: Some(q.to_owned()), ..Filter::default() };
        assert_eq!(listed(connection, bench.project, &filter).len(), hits, "{q}");
    }
}

#[test]
fn meaning_and_words_are_one_order_and_near_facts_are_known() {
    let mut bench = Bench::new();
    let towards = |vector: &[f32]| Embedding::of("fake:e", vector);
    let tea = fact("She drinks Darjeeling").embedded(towards(&[1.0, 0.1, 0.0]));
    let car = fact("The car is red").embedded(towards(&[0.0, 0.0, 1.0]));
    run_that_remembers(&mut bench, vec![tea, car, fact("A tea pot costs 9 euros")]);
    let connection = &mut bench.connection;
    let question = towards(&[1.0, 0.0, 0.0]).unwrap();
    let hits = memories::search(connection, bench.project, "tea", Some(&question), None).unwrap();
    let why: Vec<_> = hits.iter().map(|hit| (hit.memory.content.as_str(), hit.text_rank, hit.vector_rank)).collect();
    assert_eq!(why, [("A tea pot costs 9 euros", Some(1), None), ("She drinks Darjeeling", None, Some(1))]);

    let near = towards(&[1.0, 0.11, 0.01]).unwrap();
    let mut known = |fact: Remembered| memories::similar(connection, bench.project, &fact, &near).unwrap();
    assert_eq!(known(fact("Darjeeling is what she drinks")).as_deref(), Some("She drinks Darjeeling"));
    assert_eq!(known(fact("She drinks Darjeeling").scoped(MemoryScope::Global, "ada")), None);
    assert_eq!(known(fact("She drinks Darjeeling").about(Some("Ida"))), None);
    // News turn no direction by much.
    assert_eq!(known(fact("She drinks 2 Darjeelings")), None);
    assert_eq!(known(fact("She never drinks Darjeeling")), None);

    let missing: Vec<Unembedded> = memories::unembedded(connection, "fake:e", None, 10).unwrap();
    assert_eq!(missing.len(), 1);
    assert!(memories::unembedded(connection, "fake:e", Some(missing[0].id), 10).unwrap().is_empty());
    assert_eq!(memories::unembedded(connection, "fake:f", None, 10).unwrap().len(), 3);
    let embedded: Vec<_> = missing.into_iter().map(|memory| (memory, near.clone())).collect();
    assert_eq!(memories::embed(connection, &embedded).unwrap(), 1);
    assert!(memories::unembedded(connection, "fake:e", None, 10).unwrap().is_empty());
    memories::keep_query(connection, " tea ", &near).unwrap();
    assert_eq!(memories::embedding_of_query(connection, "tea").unwrap(), Some(near));
}

#[test]
fn an_expired_memory_is_found_by_nobody_and_goes() {
    let mut bench = Bench::new();
    let memory = write(&mut bench, &NewMemory { pinned: true, ..new("the sale ends today") });
    write(&mut bench, &new("the shop is old"));
    bench.test.execute("UPDATE memories SET expires_at = now() - interval '1 second' WHERE pinned");
    let connection = &mut bench.connection;
    assert_eq!(contents(&listed(connection, bench.project, &Filter::default())), ["the shop is old"]);
    assert_eq!(contents(&recalled(connection, bench.project, "jason", "sale")), ["the shop is old"]);
    assert!(found(connection, bench.project, "sale").is_empty());
    assert!(memories::get(connection, memory.id).is_err());
    assert_eq!(memories::export(connection, bench.project, None).unwrap().len(), 2);
    assert_eq!(forget(connection, Kept::ExpiredMemories).unwrap(), 1);
    assert_eq!(memories::export(connection, bench.project, None).unwrap().len(), 1);

    bench.test.execute("UPDATE memories SET updated_at = now() - interval '40 days'");
    write(&mut bench, &new("new"));
    let pinned = write(&mut bench, &NewMemory { pinned: true, ..new("kept") });
    bench
        .test
        .execute(&format!("UPDATE memories SET updated_at = now() - interval '40 days' WHERE id = '{}'", pinned.id));
    assert_eq!(forget(&mut bench.connection, Kept::OldMemories { days: 30 }).unwrap(), 1);
    assert_eq!(counters::of_project(&mut bench.connection, bench.project).unwrap().memories, 2);
}

#[test]
fn erasing_a_person_takes_all_that_names_her_and_no_more() {
    let mut bench = Bench::new();
    let other = another_project(&mut bench.connection);
    for content in ["Ida Holm likes tea", "mail IDA  HOLM.", "Ida Holmgren is somebody else", "Idaho is a state"] {
        write(&mut bench, &new(content));
    }
    write(&mut bench, &NewMemory { person: Some("Dr. ida holm".to_owned()), ..new("Her birthday is in May") });
    // Notes that tell of her without her name.
    for project in [bench.project, other] {
        let summary = Summary { up_to_ordinal: 1, content: "She likes tea".to_owned() };
        summaries::store(&mut bench.connection, project, &summary, 9, "m").unwrap();
    }
    let there = memories::create(&mut bench.connection, other, &new("Ida Holm called"), None).unwrap().0;
    let connection = &mut bench.connection;
    let erased = memories::erase(connection, Some(bench.project), Some("Ida Holm")).unwrap();
    assert_eq!(erased.into_iter().collect::<Vec<_>>(), [(bench.project, 3)]);
    assert!(found(connection, bench.project, "birthday").is_empty());
    assert_eq!(summaries::latest(connection, bench.project).unwrap(), None);
    assert!(summaries::latest(connection, other).unwrap().is_some());
    assert_eq!(
        contents(&memories::export(connection, bench.project, None).unwrap()),
        ["Ida Holmgren is somebody else", "Idaho is a state"]
    );
    // Everywhere else too.
    assert_eq!(
        memories::erase(connection, None, Some("Ida Holm")).unwrap().into_iter().collect::<Vec<_>>(),
        [(other, 1)]
    );
    assert!(memories::get(connection, there.id).is_err());
    assert_eq!(summaries::latest(connection, other).unwrap(), None);
    assert!(memories::erase(connection, None, None).is_err());
    assert_eq!(memories::erase(connection, Some(bench.project), None).unwrap()[&bench.project], 2);
    assert_eq!(counters::of_project(connection, bench.project).unwrap().memories, 0);
    assert!(memories::erase(connection, Some(bench.project), Some("x(.*)[")).unwrap().is_empty());
}

#[test]
fn what_nobody_finds_any_more_can_be_had_and_erased() {
    let mut bench = Bench::new();
    let expired = write(&mut bench, &new("the sale ends today"));
    let twin = write(&mut bench, &new("the sale is over"));
    let gone = write(&mut bench, &new("gone"));
    bench
        .test
        .execute("UPDATE memories SET expires_at = now() - interval '1 second' WHERE content <> 'the sale is over'");
    let connection = &mut bench.connection;
    assert_eq!(memories::delete(connection, gone.id).unwrap(), bench.project);
    // Its expired twin is in nobody's way.
    let edit = Edit { content: Some("The sale ends today".to_owned()), ..Edit::default() };
    assert_eq!(memories::update(connection, twin.id, &edit).unwrap().content, "The sale ends today");
    assert!(memories::delete(connection, expired.id).is_err());

    projects::delete(connection, bench.project).unwrap();
    assert_eq!(contents(&memories::export(connection, bench.project, None).unwrap()), ["The sale ends today"]);
    assert_eq!(memories::erase(connection, Some(bench.project), None).unwrap()[&bench.project], 1);
    assert!(matches!(memories::erase(connection, Some(Uuid::nil()), None), Err(Error::NotFound("project", _))));
}

#[test]
fn of_two_edits_to_the_same_words_at_once_one_is_told_why_not() {
    let mut bench = Bench::new();
    let (one, two) = (write(&mut bench, &new("one")), write(&mut bench, &new("two")));
    let edit = |content: &str| Edit { content: Some(content.to_owned()), ..Edit::default() };
    let Bench { test, mut connection, .. } = bench;
    let mut other = test.connect();
    let (say, hear) = std::sync::mpsc::channel();
    let second = std::thread::spawn(move || {
        hear.recv().unwrap();
        memories::update(&mut other, two.id, &edit("Three!"))
    });
    connection
        .transaction(|connection| {
            memories::update(connection, one.id, &edit("three"))?;
            say.send(()).unwrap();
            // The other has looked, seen nobody, and met the row that is being written.
            somebody_waits(&test);
            Ok::<_, Error>(())
        })
        .unwrap();
    let refused = second.join().unwrap().unwrap_err();
    assert!(matches!(&refused, Error::Conflict(why) if why.contains("remembered already")), "{refused:?}");
}
