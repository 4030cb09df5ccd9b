//! The plan for when no model is configured: a form, filled in from the words of the wish and from what was answered. It
//! says what it is, asks what is really open, and its tasks can be done. A pure function: the same wish makes the same plan.

use serde_json::json;
use titan_core::plans::{
    AnswerKind, Answered, PlanContent, PlanCost, PlanQuestion, PlanRisk, PlanTemplate, PlannedTask,
};
use titan_core::state::ExecutionType;
use titan_core::text::head;
use titan_core::title::title_of;

/// Characters of the wish in a task, where more would not be read.
const QUOTED: usize = 2_000;

/// What is wished for, as far as its words tell.
struct Kind {
    noun: &'static str,
    template: &'static str,
    /// Words of a wish that mean it.
    words: &'static [&'static str],
    /// What it needs to be told.
    substance: &'static str,
}

/// The first that fits counts, so the more special come first.
const KINDS: [Kind; 5] = [
    Kind {
        noun: "Python service",
        template: "python-service",
        words: &["python"],
        substance: "what can be asked of it, and what it answers",
    },
    Kind {
        noun: "service",
        template: "api-service",
        words: &["api", "service", "backend", "endpoint", "server", "webhook", "dienst", "schnittstelle"],
        substance: "what can be asked of it, and what it answers",
    },
    Kind {
        noun: "command-line tool",
        template: "cli",
        words: &["cli", "terminal", "command", "tool", "script", "werkzeug", "programm"],
        substance: "its commands, and what each prints",
    },
    Kind {
        noun: "web app",
        template: "web-app",
        words: &["app", "application", "dashboard", "calculator", "editor", "game", "tracker", "planner", "anwendung"],
        substance: "what one can do in it, step by step",
    },
    Kind { noun: "site", template: "static-site", words: &[], substance: "what its page says" },
];

struct Asked {
    key: &'static str,
    question: &'static str,
    choices: &'static [&'static str],
    /// How the answer reads as a statement, and what is taken for granted without one.
    means: &'static str,
    otherwise: &'static str,
    blocks: &'static [&'static str],
}

const ASKED: [Asked; 3] = [
    Asked {
        key: "audience",
        question: "Who is it for?",
        choices: &["Customers", "Our own team", "Everybody"],
        means: "It is for",
        otherwise: "Everybody",
        blocks: &["outline"],
    },
    Asked {
        key: "words",
        question: "Which words must it show first?",
        choices: &[],
        means: "It shows first",
        otherwise: "the words of the wish",
        blocks: &["texts"],
    },
    Asked {
        key: "place",
        question: "Where is it to be published?",
        choices: &["On this machine only", "In a folder that I publish myself", "On a server of mine"],
        means: "It is published",
        otherwise: "On this machine only",
        blocks: &["publish"],
    },
];

/// A plan for the wish; with the version before and the answers to it, the next one. `templates` are those that there are.
#[must_use]
pub fn plan(wish: &str, before: Option<(&PlanContent, &[Answered])>, templates: &[&str]) -> PlanContent {
    let kind = kind_of(wish);
    let name = name_of(wish);
    let known: Vec<(&Asked, Known)> = ASKED.iter().map(|asked| (asked, known(asked, before))).collect();
    let decided: Vec<String> = known.iter().filter_map(|(asked, known)| known.statement(asked)).collect();
    let template = templates.contains(&kind.template).then(|| template(&kind, &name, wish, &known));
    let mut resources = vec![format!("The wish itself, of {} words.", wish.split_whitespace().count())];
    resources.extend(
        template.as_ref().map(|template| format!("The template {}, which makes a {}.", template.reference, kind.noun)),
    );
    let mut assumptions = vec![format!("A {} is meant, going by the words of the wish.", kind.noun)];
    assumptions.extend(decided.iter().cloned());
    PlanContent {
        goal: goal(&kind, &name, &decided),
        resources,
        gaps: vec![
            "No language model is set up: this plan is a form that was filled in from the words of the wish, and nobody has thought \
             about it. Set the key of a provider and ask for another version to get a real one."
                .to_owned(),
        ],
        assumptions,
        questions: known.iter().filter(|(_, known)| matches!(known, Known::Nothing)).map(|(asked, _)| question(asked)).collect(),
        tasks: tasks(&kind, wish, &decided),
        risks: vec![
            PlanRisk {
                risk: "The wish is more than the form can see.".to_owned(),
                response: "A person reads the plan and its tasks before approving, and changes the wish where it is misread.".to_owned(),
            },
            PlanRisk {
                risk: "Without a language model the texts are placeholders.".to_owned(),
                response: "The check is a person's task, and nothing is published before it.".to_owned(),
            },
        ],
        cost: PlanCost {
            currency: "EUR".to_owned(),
            low: 0.0,
            high: 0.0,
            basis: "No model is asked, and this machine is there already.".to_owned(),
        },
        template,
    }
}

fn kind_of(wish: &str) -> Kind {
    let wish = wish.to_lowercase();
    let words: Vec<&str> = wish.split(|c: char| !c.is_alphanumeric()).collect();
    let [.., site] = KINDS;
    KINDS.into_iter().find(|kind| kind.words.iter().any(|word| words.contains(word))).unwrap_or(site)
}

/// The first sentence of the wish, in one line.
fn name_of(wish: &str) -> String {
    let title = title_of(wish).split_whitespace().collect::<Vec<_>>().join(" ").replace(char::is_control, "");
    match title.split_once(". ") {
        Some((first, _)) if first.chars().count() > 3 => first.to_owned(),
        _ => title,
    }
}

fn goal(kind: &Kind, name: &str, decided: &[String]) -> String {
    let decided = if decided.is_empty() { String::new() } else { format!(" {}", decided.join(" ")) };
    let name = name.trim_end_matches(['.', '!', '?']);
    format!(
        "Wished for is: {name}. In the end there is a {} that does this, a person has checked it, and it can be opened.{decided}",
        kind.noun
    )
}

/// What is known of a question.
enum Known {
    Nothing,
    Answer(String),
    /// It was left to the plan.
    Decided,
    /// It was taken up in an earlier version, in these words.
    Before(String),
}

impl Known {
    fn statement(&self, asked: &Asked) -> Option<String> {
        match self {
            Known::Nothing => None,
            Known::Answer(answer) => Some(format!("{}: {}.", asked.means, answer.trim_end_matches('.'))),
            Known::Decided => Some(format!("{}: {} (decided here, as asked).", asked.means, asked.otherwise)),
            Known::Before(statement) => Some(statement.clone()),
        }
    }
}

fn known(asked: &Asked, before: Option<(&PlanContent, &[Answered])>) -> Known {
    let Some((plan, answers)) = before else { return Known::Nothing };
    match answers.iter().find(|answer| answer.question == asked.key) {
        Some(Answered { kind: AnswerKind::Decide, .. }) => Known::Decided,
        Some(Answered { answer: Some(answer), .. }) => Known::Answer(head(answer, 400).trim().to_owned()),
        _ => {
            let begins = format!("{}: ", asked.means);
            let stated = plan.assumptions.iter().find(|statement| statement.starts_with(&begins));
            stated.map_or(Known::Nothing, |statement| Known::Before(statement.clone()))
        }
    }
}

fn question(asked: &Asked) -> PlanQuestion {
    PlanQuestion {
        key: asked.key.to_owned(),
        question: asked.question.to_owned(),
        choices: asked.choices.iter().map(|choice| (*choice).to_owned()).collect(),
        blocks: asked.blocks.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn template(kind: &Kind, name: &str, wish: &str, known: &[(&Asked, Known)]) -> PlanTemplate {
    let shown = known.iter().find_map(|(asked, known)| match known {
        Known::Answer(answer) if asked.key == "words" => Some(answer.clone()),
        _ => None,
    });
    let wish = head(wish.trim(), QUOTED);
    let description = shown.map_or_else(|| wish.to_owned(), |words| format!("{words}\n\n{wish}"));
    PlanTemplate {
        reference: kind.template.to_owned(),
        inputs: json!({"title": name, "description": description}),
        reason: format!("It makes a {} without more being asked.", kind.noun),
    }
}

fn tasks(kind: &Kind, wish: &str, decided: &[String]) -> Vec<PlannedTask> {
    let wish = format!("The wish: {}", head(wish.trim(), QUOTED));
    let decided = if decided.is_empty() { String::new() } else { format!("\n\nDecided: {}", decided.join(" ")) };
    let task =
        |key: &str, title: String, content: String, execution_type, needs: &[&str], parent: Option<&str>| PlannedTask {
            key: key.to_owned(),
            title,
            content,
            task_type: "chat".to_owned(),
            execution_type,
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            parent: parent.map(str::to_owned),
        };
    let (alone, by_hand) = (ExecutionType::FullyAutomated, ExecutionType::Manual);
    vec![
        task(
            "prepare",
            "Prepare".to_owned(),
            format!("All that is written before the {} is made.", kind.noun),
            by_hand,
            &[],
            None,
        ),
        task(
            "outline",
            format!("Outline the {}", kind.noun),
            format!(
                "Write an outline of the {}: who it is for, its parts, and {}.\n\n{wish}{decided}",
                kind.noun, kind.substance
            ),
            alone,
            &[],
            Some("prepare"),
        ),
        task(
            "texts",
            "Write the texts".to_owned(),
            format!("Write all texts of the {}, following its outline.\n\n{wish}{decided}", kind.noun),
            alone,
            &["outline"],
            Some("prepare"),
        ),
        task(
            "check",
            "Check what was written".to_owned(),
            format!("Read the outline and the texts, and have changed what is wrong.\n\n{wish}{decided}"),
            by_hand,
            &["prepare"],
            None,
        ),
        task(
            "publish",
            format!("Publish the {}", kind.noun),
            format!("Look at the {} once more and publish it.\n\n{wish}{decided}", kind.noun),
            by_hand,
            &["check"],
            None,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use titan_core::plans::{Known as There, checked};
    use titan_core::templates::Catalogue;

    use super::*;

    fn names(catalogue: &Catalogue) -> Vec<&str> {
        catalogue.manifests().map(|manifest| manifest.name.as_str()).collect()
    }

    #[test]
    fn the_words_of_a_wish_tell_what_is_meant() {
        let of = |wish: &str| kind_of(wish).template;
        assert_eq!(of("A page for our tea shop"), "static-site");
        assert_eq!(of("Eine Webseite für unseren Teeladen"), "static-site");
        assert_eq!(of("An app to track my tea"), "web-app");
        assert_eq!(of("An API for prices"), "api-service");
        assert_eq!(of("a small Python API"), "python-service");
        assert_eq!(of("A tool that renames files"), "cli");
        assert_eq!(of("We are happy"), "static-site", "a word is not a part of a word");
    }

    #[test]
    fn answers_stand_in_the_next_version_and_are_not_asked_again() {
        let wish = "A page for our tea shop. It lists teas.";
        let first = plan(wish, None, &["static-site"]);
        assert_eq!(first.questions.len(), 3);
        let answer = |question: &str, answer: Option<&str>| Answered {
            question: question.to_owned(),
            kind: if answer.is_some() { AnswerKind::Text } else { AnswerKind::Decide },
            answer: answer.map(str::to_owned),
            answered_at: chrono::DateTime::UNIX_EPOCH,
        };
        let answers = [answer("audience", Some("Customers")), answer("place", None)];
        let second = plan(wish, Some((&first, &answers)), &["static-site"]);
        assert_eq!(second.questions.iter().map(|question| question.key.as_str()).collect::<Vec<_>>(), ["words"]);
        let third = plan(wish, Some((&second, &[answer("words", Some("Fresh tea"))])), &["static-site"]);
        assert!(third.questions.is_empty());
        insta::assert_json_snapshot!(third);
    }

    proptest! {
        #[test]
        fn of_any_wish_comes_a_plan_that_is_right(wish in "\\PC{1,300}|(tea |app |\n|[.]){1,40}") {
            prop_assume!(!wish.trim().is_empty());
            let catalogue = Catalogue::built_in();
            let made = plan(&wish, None, &names(&catalogue));
            let spec = json!({});
            let known = There { templates: &catalogue, project: "P", spec: &spec };
            prop_assert_eq!(checked(&json!(made), known), Ok(made));
        }
    }
}
