//! What a conversation needs beside its messages: summaries, attachments, agents, and what was done lately.

use serde_json::{Value, json};
use titan_core::agents::{self, Agent};
use titan_core::attachments::{self, NewAttachment};
use titan_core::ids::Uuid;
use titan_core::outputs::Decision;
use titan_core::queue::maintenance::{self, Kept};
use titan_core::state::{ExecutionStatus, Review};
use titan_core::summaries::{self, Summary};
use titan_core::{Error, memories, messages, outputs, tasks};

use crate::support::{Bench, answered, remembered};

fn file(name: &str, bytes: &[u8]) -> NewAttachment {
    NewAttachment { name: name.to_owned(), media_type: None, bytes: bytes.to_vec() }
}

fn attach(bench: &mut Bench, name: &str, bytes: &[u8]) -> Uuid {
    let project = bench.project;
    attachments::create(&mut bench.connection, project, &file(name, bytes), None).unwrap().0.id
}

/// Says something and has it answered.
fn exchange(bench: &mut Bench, content: &str) {
    bench.submit(content);
    bench.work(answered(&format!("re: {content}")));
    bench.work(remembered("x"));
}

#[test]
fn history_begins_where_the_summary_ends_and_a_little_before() {
    let mut bench = Bench::new();
    for n in 0..20 {
        exchange(&mut bench, &format!("message {n}"));
    }
    let project = bench.project;
    let other = Uuid::nil();
    let all = messages::history(&mut bench.connection, project, other, 0).unwrap();
    assert_eq!(all.len(), 40);
    assert_eq!((all[0].content.as_str(), all[39].content.as_str()), ("message 0", "re: message 19"));
    assert_eq!((all[0].is_answer, all[39].is_answer), (false, true));

    assert_eq!(summaries::latest(&mut bench.connection, project).unwrap(), None);
    let summary = Summary { up_to_ordinal: all[35].ordinal, content: "They talked.".to_owned() };
    for content in ["They talked.", "another one for the same place"] {
        let summary = Summary { content: content.to_owned(), ..summary.clone() };
        summaries::store(&mut bench.connection, project, &summary, 3, "m").unwrap();
    }
    assert_eq!(summaries::latest(&mut bench.connection, project).unwrap(), Some(summary.clone()));
    let rest = messages::history(&mut bench.connection, project, other, summary.up_to_ordinal).unwrap();
    assert_eq!(rest, all[28..], "four new ones, and the last twelve of all");
    let rest = messages::history(&mut bench.connection, project, other, all[3].ordinal).unwrap();
    assert_eq!(rest, all[4..]);

    let page = messages::list(&mut bench.connection, project, Some(200), None).unwrap().items;
    assert_eq!(page.iter().filter(|message| message.summarised).count(), 36);
    assert!(page[35].summarised && !page[36].summarised);
}

#[test]
fn what_is_attached_stands_with_its_message() {
    let mut bench = Bench::new();
    let (first, second) = (attach(&mut bench, "C:\\notes\\a.txt", b"hello"), attach(&mut bench, "../b.json", b"{}"));
    let project = bench.project;
    assert_eq!(attachments::content(&mut bench.connection, first).unwrap(), b"hello");
    let payload = json!({"content": "look", "attachments": [second, first], "agent": "writer"});
    attachments::take(&mut bench.connection, project, &payload).unwrap();
    let mut submission = bench.submission("look");
    submission.task.payload = payload.clone();
    bench.apply(submission.into()).unwrap();

    let page = messages::list(&mut bench.connection, project, None, None).unwrap().items;
    let names: Vec<_> = page[0].attachments.iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(names, [("b.json", 2), ("a.txt", 5)]);
    assert_eq!(page[0].agent.as_deref(), Some("writer"));
    let earlier = messages::history(&mut bench.connection, project, Uuid::nil(), 0).unwrap();
    assert_eq!(earlier[0].attachments, page[0].attachments);
    assert_eq!(attachments::named(&mut bench.connection, project, &payload).unwrap(), page[0].attachments);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_payload_that_an_older_version_took_harms_nobody() {
    let mut bench = Bench::new();
    bench.submit("hello");
    for strange in ["[\"x\", 5, null, \"00000000-0000-0000-0000-00000000000g\"]", "\"text\"", "{}", "null"] {
        bench.test.execute(&format!("UPDATE tasks SET payload = jsonb_set(payload, '{{attachments}}', '{strange}')"));
        let page = messages::list(&mut bench.connection, bench.project, None, None).unwrap();
        assert_eq!(page.items[0].attachments, []);
    }
    bench.test.execute("DELETE FROM jobs");
}

fn refused_here(bench: &mut Bench, attachments: Value) -> String {
    let payload = json!({"content": "x", "attachments": attachments});
    match attachments::take(&mut bench.connection, bench.project, &payload) {
        Err(Error::Invalid { field: "payload.attachments", message }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_stays_only_when_its_message_was_taken() {
    let mut bench = Bench::new();
    let (project, a_day_later) = (bench.project, "UPDATE attachments SET asked_at = asked_at - interval '25 hours'");
    let (used, refused) = (attach(&mut bench, "used", b"x"), attach(&mut bench, "refused", b"x"));
    bench.test.execute(a_day_later);
    for id in [used, refused] {
        attachments::take(&mut bench.connection, project, &json!({"attachments": [id]})).unwrap();
    }
    assert_eq!(
        maintenance::forget(&mut bench.connection, Kept::Attachments).unwrap(),
        0,
        "their messages may be on the way"
    );
    let mut submission = bench.submission("look");
    submission.task.payload = json!({"content": "look", "attachments": [used]});
    bench.apply(submission.into()).unwrap();
    bench.test.execute(a_day_later);
    assert_eq!(maintenance::forget(&mut bench.connection, Kept::Attachments).unwrap(), 1);
    assert!(attachments::get(&mut bench.connection, refused).is_err());
    assert_eq!(attachments::content(&mut bench.connection, used).unwrap(), b"x");
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_question_knows_its_place() {
    let mut bench = Bench::new();
    let (first, project) = (bench.submit("first").task_id, bench.project);
    let second = bench.submit("second").task_id;
    let mut place = |task| messages::asked_at(&mut bench.connection, project, task).unwrap();
    assert!(place(first).unwrap() < place(second).unwrap());
    assert_eq!(place(Uuid::nil()), None);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn what_may_not_be_attached_is_refused() {
    let mut bench = Bench::new();
    let project = bench.project;
    let one = attach(&mut bench, "a", b"x");
    let mut refused = |attachments| refused_here(&mut bench, attachments);
    assert!(refused(json!([Uuid::nil()])).contains("there is no attachment"));
    assert!(refused(json!([one, one])).contains("twice"));
    assert!(refused(json!(["x"])).contains("must be ids"));
    assert!(refused(json!("x")).contains("list of ids"));
    assert!(refused(json!(vec![one; 9])).contains("at most 8"));
    let large: Vec<Uuid> = (0..5).map(|n| attach(&mut bench, "large", &vec![b'a' + n; 5 << 20])).collect();
    let payload = json!({"content": "x", "attachments": large});
    let error = attachments::take(&mut bench.connection, project, &payload).unwrap_err().to_string();
    assert!(error.contains("at most 20971520 bytes together, and have 26214400"), "{error}");

    // Those of another project are none of this one's.
    let mine = attach(&mut bench, "mine", b"x");
    bench.test.execute(&format!("UPDATE attachments SET project_id = '{}' WHERE id = '{mine}'", Uuid::nil()));
    assert!(refused_here(&mut bench, json!([mine])).contains("there is no attachment"));
    bench.test.execute("DELETE FROM attachments WHERE name = 'mine'");
    let other = Bench::new().project;
    assert!(matches!(
        attachments::create(&mut bench.connection, other, &file("a", b"x"), None),
        Err(Error::NotFound("project", _))
    ));
    for n in 0..58 {
        attach(&mut bench, "more", format!("{n}").as_bytes());
    }
    let full = attachments::create(&mut bench.connection, project, &file("a", b"x"), None);
    assert!(matches!(full, Err(Error::Conflict(_))), "{full:?}");
    bench.test.execute("UPDATE attachments SET asked_at = now() - interval '25 hours'");
    attachments::take(&mut bench.connection, project, &json!({"attachments": [one]})).unwrap();
    assert_eq!(maintenance::forget(&mut bench.connection, Kept::Attachments).unwrap(), 63);
    assert!(attachments::get(&mut bench.connection, one).is_ok());
}

#[test]
fn recent_work_is_what_the_conversation_does_not_tell() {
    let mut bench = Bench::new();
    for content in ["answered", "rejected"] {
        exchange(&mut bench, content);
    }
    let output = outputs::list(&mut bench.connection, bench.project, None, None, None).unwrap().items.remove(0);
    let decision = Decision { review: Review::Rejected, comment: Some("too long"), run_again: false };
    outputs::review(&mut bench.connection, output.id, &decision).unwrap();
    let asking = bench.submit("under way").task_id;
    bench.submit("also under way");
    let recent = tasks::recent(&mut bench.connection, bench.project, asking).unwrap();
    let told: Vec<_> = recent.iter().map(|task| (task.title.as_str(), task.status, task.comment.as_deref())).collect();
    assert_eq!(
        told,
        [("also under way", ExecutionStatus::Queued, None), ("rejected", ExecutionStatus::Completed, Some("too long"))]
    );
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn an_agent_that_nobody_knows_is_refused_with_the_names_of_the_others() {
    let mut bench = Bench::new();
    let message = |refused: titan_core::Result<()>| refused.unwrap_err().to_string();
    assert!(message(agents::check(&mut bench.connection, "a")).contains("no worker has told"));
    let agent = |name: &str, is_default| Agent {
        name: name.to_owned(),
        title: name.to_owned(),
        description: "d".to_owned(),
        model: None,
        is_default,
    };
    for published in [vec![agent("gone", true)], vec![agent("a", false), agent("z", true)]] {
        agents::publish(&mut bench.connection, &published).unwrap();
    }
    agents::check(&mut bench.connection, "a").unwrap();
    assert_eq!(
        message(agents::check(&mut bench.connection, "b")),
        "payload.agent: there is no agent \"b\"; there are z, a"
    );
}

#[test]
fn who_is_forgotten_is_in_no_summary_either() {
    let mut bench = Bench::new();
    let project = bench.project;
    for (place, content) in [(1, "They talked of tea."), (2, "Ida  holm, who sells tea, called."), (3, "Idaho.")] {
        let summary = Summary { up_to_ordinal: place, content: content.to_owned() };
        summaries::store(&mut bench.connection, project, &summary, 3, "m").unwrap();
    }
    memories::erase(&mut bench.connection, Some(project), Some("Ida Holm")).unwrap();
    // Whatever they call her there: in the project itself none is left.
    assert_eq!(summaries::latest(&mut bench.connection, project).unwrap(), None);
    for (place, content) in [(1, "They talked of tea."), (2, "Ida  holm, who sells tea, called."), (3, "Idaho.")] {
        let summary = Summary { up_to_ordinal: place, content: content.to_owned() };
        summaries::store(&mut bench.connection, project, &summary, 3, "m").unwrap();
    }
    // Everywhere it is those that name her.
    memories::erase(&mut bench.connection, None, Some("Ida Holm")).unwrap();
    assert_eq!(bench.test.count("SELECT sum(up_to_ordinal)::bigint FROM conversation_summaries"), 4);
}
