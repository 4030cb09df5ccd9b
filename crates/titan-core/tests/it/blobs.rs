//! The store of blobs in all its places: each gives back what it was given, loses nothing that is named, keeps nothing that is
//! not, and says what is wrong.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use futures_util::TryStreamExt as _;
use titan_core::blobs::{Blob, Blobs, Collected, NAMED_BY, collect};
use titan_core::config::{BlobSettings, Config};
use titan_core::documents::{self, Document, NewDocument};
use titan_core::ids::Uuid;
use titan_core::projects::{self, NewProject};
use titan_core::workspaces::{Branch, Change, Precondition, Said, Workspace, Workspaces};
use titan_core::{Error, Result};
use titan_testkit::db::TestDb;
use titan_testkit::s3::FakeS3;

use crate::support::somebody_waits;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Small ones, and those whose chunks end here and there.
const SIZES: [usize; 6] = [1, 8 << 10, (8 << 10) + 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 17];

/// A store and the database that knows what is in it.
struct Store {
    test: TestDb,
    blobs: Blobs,
    project: Uuid,
}

fn settings(pairs: &[(String, String)]) -> BlobSettings {
    let mut map: HashMap<String, String> = pairs.iter().cloned().collect();
    map.insert("DATABASE_URL".to_owned(), "postgres://u@h/d".to_owned());
    Config::from_map(&map).unwrap().blobs
}

impl Store {
    fn at(pairs: &[(String, String)]) -> Self {
        let test = TestDb::new();
        let new = NewProject { name: "Test".to_owned(), project_type: None, template_ref: None, spec: None };
        let project = projects::create(&mut test.connect(), &new, None).unwrap().0.id;
        let blobs = Blobs::of(test.db.clone(), &settings(pairs).store).unwrap();
        Store { test, blobs, project }
    }

    fn in_postgres() -> Self {
        Self::at(&[])
    }

    fn in_directory(path: &Path) -> Self {
        Self::at(&[("TITAN_BLOB_URL".to_owned(), format!("file://{}", path.display()))])
    }

    /// Stores a text, with a row that names it.
    async fn give(&self, text: &str) -> Document {
        let mut new = document(text);
        self.blobs.put(&mut new.content).await.unwrap();
        name(&mut self.test.connect(), self.project, &new)
    }

    fn drop_name(&self, document: &Document) {
        documents::delete(&mut self.test.connect(), document.id).unwrap();
    }

    /// Everything was stored long ago.
    fn age(&self) {
        self.test.execute("UPDATE blobs SET stored_at = now() - interval '2 days'");
    }

    fn count(&self) -> i64 {
        self.test.count("SELECT count(*) FROM blobs")
    }
}

fn document(text: &str) -> NewDocument {
    NewDocument::checked("a.txt", None, text.as_bytes().to_vec().into()).unwrap()
}

fn name(connection: &mut PgConnection, project: Uuid, new: &NewDocument) -> Document {
    documents::create(connection, project, new, None).unwrap().0
}

fn text(size: usize) -> String {
    (0..size).map(|n| char::from(b'a' + u8::try_from(n % 23).unwrap())).collect()
}

async fn streamed(blobs: &Blobs, sha256: &str, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
    let pieces: Vec<_> = blobs.open(sha256).await?.stream(range).try_collect().await?;
    assert!(pieces.iter().all(|piece| piece.len() <= 1 << 20), "in small pieces");
    Ok(pieces.concat())
}

/// What every store must do.
async fn contract(store: &Store, objects: impl Fn() -> usize) {
    let blobs = &store.blobs;
    let mut given = Vec::new();
    for size in SIZES {
        let text = text(size);
        let document = store.give(&text).await;
        assert!(blobs.read(&document.sha256).await.unwrap() == text.as_bytes(), "{size}");
        let (reader, size) = (blobs.open(&document.sha256).await.unwrap(), size as u64);
        assert_eq!(reader.size(), size);
        for range in [0..size, 0..1, size - 1..size, size / 2..size, size / 3..size / 2, 0..0] {
            let part = streamed(blobs, &document.sha256, range.clone()).await.unwrap();
            let expected = text.get(range.start as usize..range.end as usize).unwrap();
            assert!(part == expected.as_bytes(), "{range:?} of {size}");
        }
        given.push(document);
    }
    let outside = objects();
    // The same once more is stored once.
    let again = store.give(&text(SIZES[5])).await;
    assert_eq!((store.count(), objects()), (SIZES.len() as i64, outside));
    let digits = "0".repeat(64);
    assert!(blobs.read(&digits).await.unwrap_err().to_string().contains(&digits));

    // What is named stays, however old; what is young stays, named or not.
    store.age();
    assert_eq!(collect(blobs, DAY).await.unwrap(), Collected::default());
    given.iter().for_each(|document| store.drop_name(document));
    store.test.execute("UPDATE blobs SET stored_at = now() WHERE size = 1");
    let collected = collect(blobs, DAY).await.unwrap();
    assert_eq!((collected.blobs, collected.strays), (SIZES.len() - 2, 0));
    assert_eq!(store.count(), 2);
    assert!(blobs.read(&again.sha256).await.is_ok());
    store.drop_name(&again);
    store.age();
    assert_eq!(collect(blobs, DAY).await.unwrap().blobs, 2);
    assert_eq!((store.count(), objects(), store.test.count("SELECT count(*) FROM blob_chunks")), (0, 0, 0));

    // Who died between object and row left an object, which is not taken from whoever is just about to name it.
    let mut lost = Blob::from(text(9000).into_bytes());
    blobs.put(&mut lost).await.unwrap();
    let strays = objects();
    assert_eq!(collect(blobs, DAY).await.unwrap(), Collected::default());
    assert_eq!(objects(), strays);
    // A clock that is a second behind is no reason to fail.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(collect(blobs, Duration::ZERO).await.unwrap(), Collected { strays, ..Collected::default() });
    assert_eq!(objects(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_contract() {
    contract(&Store::in_postgres(), || 0).await;
}

fn files(root: &Path) -> Vec<PathBuf> {
    let Ok(folders) = std::fs::read_dir(root) else { return Vec::new() };
    let folders = folders.map(|folder| folder.unwrap().path());
    folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("made when it is needed");
    contract(&Store::in_directory(&root), || files(&root).len()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_compatible_store_keeps_the_contract() {
    let s3 = tokio::task::spawn_blocking(FakeS3::start).await.unwrap();
    let store = Store::at(&s3.env());
    contract(&store, || tokio::task::block_in_place(|| s3.keys().len())).await;
    let document = store.give(&text(9000)).await;
    let key = tokio::task::block_in_place(|| s3.keys().remove(0));
    assert!(key.starts_with(&format!("some/where/{}/{}-", &document.sha256[..2], document.sha256)), "{key}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_compatible_store_that_lies_or_is_away_is_found_out() {
    let mut s3 = tokio::task::spawn_blocking(FakeS3::start).await.unwrap();
    let store = Store::at(&s3.env());
    let document = store.give(&text(9000)).await;
    // Somebody has put other bytes in its place.
    let other = store.give(&"x".repeat(9000)).await;
    store.test.execute(&format!(
        "CREATE TEMP TABLE other AS SELECT place FROM blobs WHERE sha256 = '\\x{}'; UPDATE blobs SET place = NULL WHERE sha256 = '\\x{}'; \
         UPDATE blobs SET place = (SELECT place FROM other) WHERE sha256 = '\\x{}'",
        other.sha256, other.sha256, document.sha256
    ));
    let why = store.blobs.read(&document.sha256).await.unwrap_err().to_string();
    assert!(why.contains(&document.sha256) && why.contains("s3:") && why.contains("not what it was"), "{why}");
    tokio::task::block_in_place(|| s3.kill());
    let mut blob = Blob::from(text(9001).into_bytes());
    let away = store.blobs.put(&mut blob).await.unwrap_err();
    assert!(
        matches!(&away, Error::Storage(why) if why.contains("\"blobs\"") && !why.contains("a-secret-key")),
        "{away}"
    );
    assert!(matches!(store.blobs.read(&document.sha256).await, Err(Error::Storage(_))));
}

/// Two machines that share nothing but Postgres and the store.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_projects_travel_through_an_s3_compatible_store() {
    let s3 = tokio::task::spawn_blocking(FakeS3::start).await.unwrap();
    let store = Store::at(&s3.env());
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |disk: &Path| Workspaces::new(store.test.db.clone(), store.blobs.clone(), disk);
    // What git cannot make small.
    let mut state = 1_u64;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    let bytes: Vec<u8> = bytes.take(20_000).collect();
    let changes = [Change::Put { path: "data.bin".to_owned(), bytes: bytes.clone(), executable: false }];
    let write = move |workspace: &Workspace| {
        let said = Said { author: "Ida", message: "Add", at: chrono::DateTime::UNIX_EPOCH };
        workspace.write(Branch::Main, &changes, &Precondition::None, &said)
    };
    at(here.path()).with(store.project, write).await.unwrap();
    assert_eq!(tokio::task::block_in_place(|| s3.keys().len()), 1);
    let read = |workspace: &Workspace| workspace.file(workspace.head(Branch::Main).unwrap_or_default(), "data.bin");
    assert!(at(there.path()).with(store.project, read).await.unwrap().unwrap().bytes == bytes);
    // The bundle is named, and stays.
    store.age();
    assert_eq!(collect(&store.blobs, DAY).await.unwrap(), Collected::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_in_postgres_is_named() {
    let store = Store::in_postgres();
    let document = store.give(&text((2 << 20) + 5)).await;
    store.test.execute("UPDATE blob_chunks SET data = overlay(data PLACING 'X' FROM 100 FOR 1) WHERE chunk = 1");
    for found in
        [store.blobs.read(&document.sha256).await, streamed(&store.blobs, &document.sha256, 0..(2 << 20) + 5).await]
    {
        let why = found.unwrap_err().to_string();
        assert!(why.contains(&document.sha256) && why.contains("not what it was"), "{why}");
    }
    // Of a part nobody can tell.
    assert!(streamed(&store.blobs, &document.sha256, 0..10).await.is_ok());
    store.test.execute("DELETE FROM blob_chunks WHERE chunk = 2");
    let why = streamed(&store.blobs, &document.sha256, (2 << 20)..(2 << 20) + 5).await.unwrap_err().to_string();
    assert!(why.contains(&document.sha256) && why.contains("not whole"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_missing_in_a_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::in_directory(directory.path());
    let document = store.give(&text(9000)).await;
    let file = files(directory.path()).remove(0);
    std::fs::write(&file, "x".repeat(9000)).unwrap();
    let why = store.blobs.read(&document.sha256).await.unwrap_err().to_string();
    assert!(why.contains(&document.sha256) && why.contains("not what it was"), "{why}");
    assert!(streamed(&store.blobs, &document.sha256, 0..9000).await.is_err());
    std::fs::write(&file, "x").unwrap();
    assert!(matches!(store.blobs.read(&document.sha256).await, Err(Error::Storage(_))));
    std::fs::remove_file(&file).unwrap();
    let why = store.blobs.read(&document.sha256).await.unwrap_err().to_string();
    assert!(why.contains(&file.display().to_string()), "{why}");
    // A process that looks elsewhere says so.
    let elsewhere = Blobs::in_postgres(store.test.db.clone());
    let why = elsewhere.read(&document.sha256).await.unwrap_err().to_string();
    assert!(why.contains("TITAN_BLOB_URL does not lead"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_killed_over_a_file_leaves_nothing_that_is_read_and_nothing_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::in_directory(directory.path());
    let kept = store.give(&text(9000)).await;
    let unfinished = directory.path().join("ab").join("ab01-0198.part");
    std::fs::create_dir_all(unfinished.parent().unwrap()).unwrap();
    std::fs::write(&unfinished, "half").unwrap();
    // Somebody else's file in the same place is none of ours.
    std::fs::write(directory.path().join("README"), "mine").unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(collect(&store.blobs, Duration::ZERO).await.unwrap().strays, 1);
    assert!(!unfinished.exists() && directory.path().join("README").exists());
    assert!(store.blobs.read(&kept.sha256).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_written_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let in_the_way = directory.path().join("file");
    std::fs::write(&in_the_way, "x").unwrap();
    let store = Store::in_directory(&in_the_way);
    let mut blob = Blob::from(text(9000).into_bytes());
    let failed = store.blobs.put(&mut blob).await.unwrap_err();
    assert!(matches!(&failed, Error::Storage(why) if why.contains("file/")), "{failed}");
    assert_eq!(store.count(), 0);
    // What is small needs no directory.
    assert!(store.blobs.read(&store.give("small").await.sha256).await.is_ok());
}

#[test]
fn the_collector_knows_every_column_that_names_a_blob() {
    let test = TestDb::new();
    let found = test.text(
        "SELECT string_agg(c.conrelid::regclass || '.' || a.attname, ' ' ORDER BY 1) FROM pg_constraint c \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
         WHERE c.contype = 'f' AND c.confrelid = 'blobs'::regclass AND c.conrelid <> 'blob_chunks'::regclass",
    );
    let found: BTreeSet<&str> = found.split_whitespace().collect();
    let known = NAMED_BY.map(|(table, column)| format!("{table}.{column}"));
    assert_eq!(found, known.iter().map(String::as_str).collect(), "see titan-core/src/blobs/collect.rs");
    // Each is found by an index: it is asked for every blob that goes.
    for (table, column) in NAMED_BY {
        let indexes = test.count(&format!(
            "SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
             WHERE i.indrelid = '{table}'::regclass AND a.attname = '{column}'"
        ));
        assert!(indexes > 0, "{table}.{column} has no index");
    }
}

/// The new name is not committed yet: the collector sees an old blob that nothing names, and leaves it alone.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_again_is_not_collected() {
    let store = Store::in_postgres();
    store.drop_name(&store.give("again").await);
    store.age();
    let mut connection = store.test.connect();
    connection.batch_execute("BEGIN").unwrap();
    let new = document("again");
    let document = name(&mut connection, store.project, &new);
    assert_eq!(collect(&store.blobs, DAY).await.unwrap(), Collected::default());
    connection.batch_execute("COMMIT").unwrap();
    assert_eq!(collect(&store.blobs, DAY).await.unwrap(), Collected::default());
    assert_eq!(store.blobs.read(&document.sha256).await.unwrap(), b"again");
}

/// The collector was first: whoever stores the same waits for it, and stores it anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_just_being_collected_is_stored_anew() {
    let store = Store::in_postgres();
    store.drop_name(&store.give("anew").await);
    let mut collector = store.test.connect();
    collector.batch_execute("BEGIN; DELETE FROM blobs").unwrap();
    let (mut connection, project) = (store.test.connect(), store.project);
    let storing = std::thread::spawn(move || name(&mut connection, project, &document("anew")));
    somebody_waits(&store.test);
    collector.batch_execute("COMMIT").unwrap();
    let document = storing.join().unwrap();
    assert_eq!(store.blobs.read(&document.sha256).await.unwrap(), b"anew");
}

/// Those who store the same fresh blob at the same time do not wait for each other.
#[test]
fn who_stores_what_is_fresh_waits_for_nobody() {
    let store = Store::in_postgres();
    name(&mut store.test.connect(), store.project, &document("same"));
    let (mut one, mut other) = (store.test.connect(), store.test.connect());
    one.batch_execute("BEGIN").unwrap();
    name(&mut one, store.project, &document("same"));
    other
        .transaction(|other| {
            other.batch_execute("SET LOCAL lock_timeout = '2s'")?;
            name(other, store.project, &document("same"));
            Ok::<_, diesel::result::Error>(())
        })
        .unwrap();
    one.batch_execute("COMMIT").unwrap();
}

/// A hundred times named and forgotten while it is collected all the time, with and without an object outside.
#[tokio::test(flavor = "multi_thread")]
async fn storing_and_collecting_at_once_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::in_directory(directory.path());
    let blobs = store.blobs.clone();
    let collecting = tokio::spawn(async move {
        let mut collected = 0;
        loop {
            collected += collect(&blobs, DAY).await.unwrap().blobs;
            if collected >= 10 {
                return collected;
            }
        }
    });
    let texts = [text(100), text(9000)];
    for round in 0.. {
        for text in &texts {
            let document = store.give(text).await;
            assert!(store.blobs.read(&document.sha256).await.unwrap() == text.as_bytes());
            store.drop_name(&document);
            store.age();
        }
        if round >= 100 && collecting.is_finished() {
            break;
        }
        assert!(round < 5000, "nothing is collected");
    }
    assert!(collecting.await.unwrap() >= 10);
}
