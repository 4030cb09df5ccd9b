//! Answers to the questions of a version.

use diesel::connection::SimpleConnection as _;
use titan_core::Error;
use titan_core::plans::{self, AnswerKind, NewAnswer};

use super::{alone, approve, content, draft};
use crate::support::Bench;

fn says(question: &str, answer: &str) -> NewAnswer {
    NewAnswer { question: question.to_owned(), answer: Some(answer.to_owned()), decide_for_me: false }
}

#[test]
fn answers_are_kept_with_the_version_and_change_until_it_is_decided() {
    let mut bench = Bench::new();
    let version = draft(&mut bench, content(vec![alone("a", &[])]));
    let project = bench.project;
    let answer =
        |bench: &mut Bench, answers: &[NewAnswer]| plans::answer(&mut bench.connection, project, version, answers);
    let decide = NewAnswer { question: "name".to_owned(), answer: None, decide_for_me: true };
    let plan = answer(&mut bench, &[says("colour", "blue"), decide.clone()]).unwrap();
    let kinds: Vec<_> = plan.answers.iter().map(|answer| (answer.kind, answer.answer.as_deref())).collect();
    assert_eq!(kinds, [(AnswerKind::Choice, Some("blue")), (AnswerKind::Decide, None)]);
    let plan = answer(&mut bench, &[says("colour", "green")]).unwrap();
    assert_eq!((plan.answers[0].kind, plan.summary.answered), (AnswerKind::Text, 2));

    for (wrong, says) in [
        (says("taste", "sweet"), "there is no question \"taste\"; there are colour, name"),
        (says("name", " "), "must be a text, or decide_for_me must be true, and not both"),
        (NewAnswer { decide_for_me: true, ..says("name", "x") }, "and not both"),
    ] {
        let error = answer(&mut bench, &[wrong]).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }

    draft(&mut bench, content(vec![alone("a", &[])]));
    let late = answer(&mut bench, &[says("colour", "red")]).unwrap_err();
    assert!(matches!(&late, Error::Conflict(why) if why.contains("answer version 2")), "{late}");
    // To say once more what was said is no answer of today.
    assert!(answer(&mut bench, &[says("colour", "green")]).is_ok());
    approve(&mut bench, version).unwrap();
    for wrong in [
        "UPDATE plan_answers SET answer = 'red', kind = 'choice'",
        "DELETE FROM plan_answers",
        "INSERT INTO plan_answers (plan_id, question, kind, answer) SELECT id, 'taste', 'text', 'x' FROM plans WHERE state = 'approved'",
    ] {
        assert!(bench.test.connect().batch_execute(wrong).is_err(), "{wrong}");
    }
    let decided = answer(&mut bench, &[says("colour", "red")]).unwrap_err();
    assert!(decided.to_string().contains("was approved"), "{decided}");
    let text = plans::charter_text(&mut bench.connection, bench.project).unwrap().unwrap();
    assert!(text.ends_with("Decided:\n- What about colour? green"), "{text}");
}

#[test]
fn versions_are_listed_and_compared() {
    let mut bench = Bench::new();
    draft(&mut bench, content(vec![alone("a", &[]), alone("b", &[])]));
    let mut second = content(vec![alone("b", &["c"]), alone("c", &[])]);
    second.goal = "A larger page".to_owned();
    draft(&mut bench, second);
    let project = bench.project;
    let page = plans::list(&mut bench.connection, project, Some(1), None).unwrap();
    assert_eq!((page.items[0].number, page.items[0].tasks, page.next_cursor.as_deref()), (2, 2, Some("2")));
    let page = plans::list(&mut bench.connection, project, None, page.next_cursor.as_deref()).unwrap();
    assert_eq!((page.items.len(), page.next_cursor), (1, None));
    let [before, after] = [1, 2].map(|number| plans::get(&mut bench.connection, project, number).unwrap());
    let compared = plans::compare(&before, &after);
    let changed: Vec<&str> =
        compared.sections.iter().filter(|section| section.changed).map(|section| section.section.as_str()).collect();
    assert_eq!(changed, ["goal", "tasks"]);
    assert!(matches!(plans::get(&mut bench.connection, project, 3), Err(Error::NoPlan { asked: 3, newest: 2 })));
}
