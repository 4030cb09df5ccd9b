//! The request for a chat message: what is in it, and what is left out first.

use proptest::prelude::*;
use titan_agent::chat::{Context, DEFAULT_BUDGET_CHARS, SYSTEM_PROMPT, build_request};
use titan_agent::{Message, Role};

fn history() -> Vec<Message> {
    vec![
        Message::new(Role::User, "What is this project?"),
        Message::new(Role::Assistant, "A bakery's web shop."),
        Message::new(Role::User, "Who buys there?"),
        Message::new(Role::Assistant, "People nearby."),
    ]
}

#[test]
fn holds_all_that_is_known_in_order() {
    let memories = ["User asked: colours? — Jason answered: blue.".to_owned(), "The owner\nis called Ida.".to_owned()];
    let request = build_request(
        "some-model",
        &Context {
            project_name: "My Web App",
            project_description: Some("  Sells {bread} online.\nOpens in May.  "),
            memories: &memories,
            history: &history(),
            content: "And how do we reach them?",
        },
        DEFAULT_BUDGET_CHARS,
    );
    let said: Vec<String> =
        request.messages.iter().map(|message| format!("=== {:?}\n{}", message.role, message.text())).collect();
    insta::assert_snapshot!(format!("model: {}\n{}", request.model, said.join("\n")));
}

#[test]
fn holds_no_empty_sections() {
    let context =
        Context { project_name: "Bare", project_description: Some("  "), memories: &[], history: &[], content: "Hi" };
    let request = build_request("some-model", &context, DEFAULT_BUDGET_CHARS);
    assert_eq!(request.messages[0].text(), format!("{}\n\n## Project\n\nName: Bare\n", SYSTEM_PROMPT.trim_end()));
    assert_eq!(request.messages[1..], [Message::new(Role::User, "Hi")]);
}

#[test]
fn a_conversation_that_is_cut_begins_with_the_person() {
    let history = history();
    let context =
        |history| Context { project_name: "P", project_description: None, memories: &[], history, content: "Hi" };
    let empty = build_request("m", &context(&[]), 0);
    let used: usize = empty.messages.iter().map(|message| message.text().chars().count()).sum();
    // Room for the last three messages, of which the first is an answer to a question that is gone.
    let room: usize = history[1..].iter().map(|message| message.text().chars().count()).sum();
    let request = build_request("m", &context(&history), used + room);
    assert_eq!(request.messages[1..3], history[2..]);
    assert_eq!(request.messages.len(), 4);
}

fn chars(messages: &[Message]) -> usize {
    messages.iter().map(|message| message.text().chars().count()).sum()
}

proptest! {
    #[test]
    fn what_must_be_there_is_there_and_the_rest_keeps_to_the_budget(
        memories in prop::collection::vec("[a-zé日 ]{1,300}", 0..30),
        texts in prop::collection::vec("[a-zé日 ]{0,400}", 0..40),
        content in "\\PC{1,2000}",
        budget in 0usize..12_000,
    ) {
        let roles = [Role::User, Role::Assistant];
        let history: Vec<Message> =
            texts.iter().enumerate().map(|(n, text)| Message::new(roles[n % 2], text.as_str())).collect();
        let context = Context {
            project_name: "P", project_description: Some("D"), memories: &memories, history: &history, content: &content,
        };
        let request = build_request("m", &context, budget);
        let bare = build_request("m", &Context { memories: &[], history: &[], ..context }, budget);

        let (first, last) = (request.messages.first().unwrap(), request.messages.last().unwrap());
        prop_assert!(first.text().starts_with(&bare.messages[0].text()));
        prop_assert_eq!(last, &Message::new(Role::User, content.as_str()));
        // The heading of the memories is all that may come on top.
        prop_assert!(chars(&request.messages) <= budget.max(chars(&bare.messages)) + "\n## Remembered\n\n".len());
        // The history is the end of the conversation, without a gap.
        let kept = &request.messages[1..request.messages.len() - 1];
        prop_assert!(history.ends_with(kept));
        prop_assert!(kept.first().is_none_or(|message| message.role == Role::User));
    }
}
