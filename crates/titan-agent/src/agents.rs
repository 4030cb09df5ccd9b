//! The agents there are, as data: one Markdown file each under `prompts/agents`, with a small head that names it. What an agent
//! is shown besides is the business of [`crate::context`]. `docs/AGENTS.md` says how to add one.

use std::sync::LazyLock;

/// Who answers when nobody is named.
pub use titan_core::memories::DEFAULT_AGENT;

/// What holds for every agent: how to answer, and what the background is worth.
pub const RULES: &str = include_str!("../prompts/rules.md");

/// In the order in which they are offered.
const FILES: [&str; 4] = [
    include_str!("../prompts/agents/jason.md"),
    include_str!("../prompts/agents/researcher.md"),
    include_str!("../prompts/agents/writer.md"),
    include_str!("../prompts/agents/reviewer.md"),
];

static AGENTS: LazyLock<Vec<Agent>> =
    LazyLock::new(|| FILES.iter().filter_map(|file| Agent::parse(file).ok()).collect());

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// What a task names: lowercase letters and hyphens.
    pub name: String,
    /// What people read.
    pub title: String,
    pub description: String,
    /// The model that it asks unless the task names one: `provider:model`, as everywhere.
    pub model: Option<String>,
    pub prompt: String,
}

/// What is wrong with an agent's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    #[error("the file does not begin with a head between two lines of ---")]
    NoHead,
    #[error("the head's line {0:?} is not of the form `field: value`")]
    NotAField(String),
    #[error("the head has a field {0:?}; known are name, title, description, model")]
    UnknownField(String),
    #[error("the {0} is missing")]
    Missing(&'static str),
    #[error("the name {0:?} is not 1 to 40 lowercase letters and hyphens")]
    BadName(String),
}

/// All agents, the default first.
#[must_use]
pub fn all() -> &'static [Agent] {
    &AGENTS
}

/// The agent of that name; the default one when none is named.
#[must_use]
pub fn find(name: Option<&str>) -> Option<&'static Agent> {
    let name = name.unwrap_or(DEFAULT_AGENT);
    all().iter().find(|agent| agent.name == name)
}

/// Their names, for the message that refuses another one.
#[must_use]
pub fn names() -> String {
    all().iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>().join(", ")
}

impl Agent {
    /// Reads an agent's file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(file: &str) -> Result<Self, AgentError> {
        let rest = file.strip_prefix("---\n").ok_or(AgentError::NoHead)?;
        let (head, prompt) = rest.split_once("\n---\n").ok_or(AgentError::NoHead)?;
        let (mut name, mut title, mut description, mut model) = (None, None, None, None);
        for line in head.lines() {
            let (field, value) = line.split_once(':').ok_or_else(|| AgentError::NotAField(line.to_owned()))?;
            let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            match field.trim() {
                "name" => name = value,
                "title" => title = value,
                "description" => description = value,
                "model" => model = value,
                other => return Err(AgentError::UnknownField(other.to_owned())),
            }
        }
        let name = name.ok_or(AgentError::Missing("name"))?;
        if name.len() > 40 || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
            return Err(AgentError::BadName(name));
        }
        let prompt = Some(prompt.trim().to_owned()).filter(|prompt| !prompt.is_empty());
        Ok(Self {
            name,
            title: title.ok_or(AgentError::Missing("title"))?,
            description: description.ok_or(AgentError::Missing("description"))?,
            model,
            prompt: prompt.ok_or(AgentError::Missing("prompt"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_an_agent_and_names_are_told_apart() {
        for file in FILES {
            let agent = Agent::parse(file).unwrap();
            assert_eq!(all().iter().filter(|other| other.name == agent.name).count(), 1, "{}", agent.name);
        }
        assert_eq!(all().len(), FILES.len());
        assert_eq!(all()[0].name, DEFAULT_AGENT);
        assert_eq!(find(None), all().first());
        assert_eq!(find(Some("nobody")), None);
        assert_eq!(names(), "jason, researcher, writer, reviewer");
    }

    #[test]
    fn a_wrong_file_is_told_what_is_wrong() {
        let of = |head: &str| Agent::parse(&format!("---\n{head}\n---\nYou are.\n"));
        let whole = of("name: a-b\ntitle: A: B\ndescription: d\nmodel: openai:x").unwrap();
        assert_eq!((whole.title.as_str(), whole.model.as_deref()), ("A: B", Some("openai:x")));
        assert_eq!(whole.prompt, "You are.");
        assert_eq!(Agent::parse("You are."), Err(AgentError::NoHead));
        assert_eq!(of("name"), Err(AgentError::NotAField("name".to_owned())));
        assert_eq!(of("colour: blue"), Err(AgentError::UnknownField("colour".to_owned())));
        assert_eq!(of("name: A B\ntitle: t\ndescription: d"), Err(AgentError::BadName("A B".to_owned())));
        assert_eq!(of("name: a\ntitle:\ndescription: d"), Err(AgentError::Missing("title")));
        assert_eq!(
            Agent::parse("---\nname: a\ntitle: t\ndescription: d\n---\n \n"),
            Err(AgentError::Missing("prompt"))
        );
    }
}
