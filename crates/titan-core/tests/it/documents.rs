//! Documents in a real Postgres: taken in with the job that reads them, read, found, and gone.

use titan_core::documents::{self, Begun, Document, DocumentState, NewDocument};
use titan_core::engine::IdempotencyKey;
use titan_core::queue::{Claim, claim};
use titan_core::{Error, projects};

use crate::support::Bench;

fn give(bench: &mut Bench, name: &str, text: &str) -> Document {
    let new = NewDocument::checked(name, None, text.as_bytes().to_vec().into()).unwrap();
    documents::create(&mut bench.connection, bench.project, &new, None).unwrap().0
}

/// Reads one as a worker does.
fn read(bench: &mut Bench, document: &Document, text: &str) {
    assert!(matches!(documents::begin(&mut bench.connection, document.id), Ok(Begun::Read(_))));
    documents::ready(&mut bench.connection, document.id, text, 0).unwrap();
}

#[test]
fn a_file_is_taken_in_with_the_job_that_reads_it() {
    let mut bench = Bench::new();
    let document = give(&mut bench, "folder/prices.md", "# Prices");
    assert_eq!((document.name.as_str(), document.state), ("prices.md", DocumentState::Waiting));
    assert_eq!((document.media_type.as_str(), document.size), ("text/markdown", 8));
    assert_eq!(bench.blobs().read_blocking(&document.sha256).unwrap(), b"# Prices");
    let kinds = vec![documents::EXTRACT.to_owned()];
    let jobs = claim(&mut bench.connection, &Claim::simple(bench.worker, kinds, 10)).unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].payload.as_ref().unwrap()["document_id"], document.id.to_string());

    let Begun::Read(begun) = documents::begin(&mut bench.connection, document.id).unwrap() else { panic!() };
    assert_eq!((begun.state, &begun.sha256), (DocumentState::Reading, &document.sha256));
    documents::ready(&mut bench.connection, document.id, "Tea costs 3 euros.\0", 7).unwrap();
    let known = documents::get(&mut bench.connection, document.id).unwrap();
    assert_eq!((known.state, known.text_size, known.left_out), (DocumentState::Ready, Some(19), Some(7)));
    assert_eq!(known.preview.as_deref(), Some("Tea costs 3 euros."));
    // Read once more, by a worker that did not know: nothing happens.
    assert!(matches!(documents::begin(&mut bench.connection, document.id), Ok(Begun::Nothing)));
    documents::ready(&mut bench.connection, document.id, "other", 0).unwrap();
    documents::failed(&mut bench.connection, document.id, "late").unwrap();
    assert_eq!(documents::get(&mut bench.connection, document.id).unwrap(), known);
}

#[test]
fn the_same_key_makes_one_document_and_one_job() {
    let mut bench = Bench::new();
    let key = IdempotencyKey::new("POST", "k", b"body");
    let new = NewDocument::checked("a.txt", None, b"a".to_vec().into()).unwrap();
    let (first, replayed) = documents::create(&mut bench.connection, bench.project, &new, Some(&key)).unwrap();
    let (again, again_replayed) = documents::create(&mut bench.connection, bench.project, &new, Some(&key)).unwrap();
    assert_eq!((first, replayed, again_replayed), (again, false, true));
    assert_eq!(bench.test.count("SELECT count(*) FROM jobs"), 1);
}

#[test]
fn passages_are_found_by_their_words_in_their_own_project() {
    let mut bench = Bench::new();
    let long = format!("Green tea costs 3 euros.\n\n{}\n\nCoffee is sold out.", "And more of it. ".repeat(60));
    let prices = give(&mut bench, "prices.txt", "x");
    read(&mut bench, &prices, &long);
    let other = give(&mut bench, "other.txt", "y");
    read(&mut bench, &other, "Nothing of that kind.");
    let mut search = |q: &str| documents::search(&mut bench.connection, bench.project, q, None).unwrap();
    let found = search("gre tea");
    assert_eq!((found.len(), found[0].document_id, found[0].passage), (1, prices.id, 0));
    assert!(found[0].excerpt.starts_with("Green tea costs"));
    assert!(search("coffee")[0].passage > 0);
    assert!(search("green coffee").is_empty(), "no passage has both");
    let mut matching = |text: &str| documents::matching(&mut bench.connection, bench.project, text, 5).unwrap();
    let best = matching("What does the green tea cost? And the coffee?");
    assert!(best.len() == 2 && best[0].excerpt.contains("Green"), "{best:?}");
    assert!(matching("zebra").is_empty() && matching("?").is_empty());
    assert!(documents::search(&mut bench.connection, bench.project, "?!", None).is_err());
    documents::delete(&mut bench.connection, prices.id).unwrap();
    assert_eq!(bench.test.count("SELECT count(*) FROM document_passages"), 1);
    projects::delete(&mut bench.connection, bench.project).unwrap();
    assert!(matches!(documents::get(&mut bench.connection, other.id), Err(Error::NotFound("document", _))));
}

#[test]
fn what_ends_its_workers_is_given_up_and_says_so() {
    let mut bench = Bench::new();
    let document = give(&mut bench, "a.txt", "a");
    for _ in 0..3 {
        assert!(matches!(documents::begin(&mut bench.connection, document.id), Ok(Begun::Read(_))));
    }
    // One that was only stopped does not count.
    documents::try_again(&mut bench.connection, document.id).unwrap();
    assert_eq!(documents::get(&mut bench.connection, document.id).unwrap().state, DocumentState::Waiting);
    assert!(matches!(documents::begin(&mut bench.connection, document.id), Ok(Begun::Read(_))));
    assert!(matches!(documents::begin(&mut bench.connection, document.id), Ok(Begun::GivenUp(_))));
    let known = documents::get(&mut bench.connection, document.id).unwrap();
    assert_eq!(known.state, DocumentState::Failed);
    assert!(known.reason.unwrap().contains("ended before they were through"));
}

#[test]
fn a_reading_counts_although_a_worker_that_lost_it_says_that_it_waits() {
    let mut bench = Bench::new();
    let document = give(&mut bench, "a.txt", "a");
    for _ in 0..2 {
        assert!(matches!(documents::begin(&mut bench.connection, document.id), Ok(Begun::Read(_))));
    }
    documents::try_again(&mut bench.connection, document.id).unwrap();
    documents::ready(&mut bench.connection, document.id, "a", 0).unwrap();
    assert_eq!(documents::get(&mut bench.connection, document.id).unwrap().state, DocumentState::Ready);
}

#[test]
fn there_is_a_limit_and_what_is_refused_leaves_nothing() {
    let mut bench = Bench::new();
    let first = give(&mut bench, "a.txt", "a");
    bench.test.execute(&format!(
        "INSERT INTO documents (id, project_id, name, format, media_type, size, sha256) \
         SELECT gen_random_uuid(), project_id, name, format, media_type, size, sha256 FROM documents, generate_series(2, {})",
        documents::MOST
    ));
    let refused = |bench: &mut Bench, bytes: &[u8]| {
        let new = NewDocument::checked("b.txt", None, bytes.to_vec().into());
        new.and_then(|new| documents::create(&mut bench.connection, bench.project, &new, None)).unwrap_err().to_string()
    };
    assert!(refused(&mut bench, b"b").contains("at most 500 documents, and this one has 500"));
    documents::delete(&mut bench.connection, first.id).unwrap();
    assert!(refused(&mut bench, b"\0").contains("must be a text"));
    assert_eq!(bench.test.count("SELECT count(*) FROM blobs"), 1, "of what was refused nothing is stored");
}
