//! Who offers models. A vendor that speaks a wire which is known is a line here and nothing else: its variables, its state and its
//! models then show up wherever those of the others do.

use secrecy::SecretString;
use url::Url;

/// The interface that a vendor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// OpenAI's chat completions.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `generateContent`.
    Gemini,
    /// Ollama's own.
    Ollama,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Vendor {
    /// What it is called in lists and in `name:model`.
    pub name: &'static str,
    pub title: &'static str,
    pub wire: Wire,
    pub key_variable: &'static str,
    pub base_url_variable: &'static str,
    /// Where it is, unless the variable says otherwise.
    pub base_url: &'static str,
    /// The model that answers when nobody names one; without it, the first that is listed. Models come and go, so only names
    /// that their vendor keeps stand here.
    pub default_model: Option<&'static str>,
    /// Whether usage is told in a stream only when it is asked for. Some who tell it anyway refuse the question.
    pub asks_for_usage: bool,
    /// Whether it takes the JSON Schema of an answer, whatever the model; if not, it is told in words.
    pub takes_schema: bool,
}

/// In the order in which they are preferred.
pub const VENDORS: &[Vendor] = &[
    Vendor {
        name: "openai",
        title: "OpenAI",
        wire: Wire::OpenAi,
        key_variable: "OPENAI_API_KEY",
        base_url_variable: "OPENAI_BASE_URL",
        base_url: "https://api.openai.com/v1",
        default_model: Some("gpt-4o-mini"),
        asks_for_usage: true,
        takes_schema: true,
    },
    Vendor {
        name: "anthropic",
        title: "Anthropic (Claude)",
        wire: Wire::Anthropic,
        key_variable: "ANTHROPIC_API_KEY",
        base_url_variable: "ANTHROPIC_BASE_URL",
        base_url: "https://api.anthropic.com/v1",
        default_model: None,
        asks_for_usage: true,
        takes_schema: true,
    },
    Vendor {
        name: "gemini",
        title: "Google Gemini",
        wire: Wire::Gemini,
        key_variable: "GEMINI_API_KEY",
        base_url_variable: "GEMINI_BASE_URL",
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        default_model: Some("gemini-flash-latest"),
        asks_for_usage: true,
        takes_schema: true,
    },
    Vendor {
        name: "openrouter",
        title: "OpenRouter",
        wire: Wire::OpenAi,
        key_variable: "OPENROUTER_API_KEY",
        base_url_variable: "OPENROUTER_BASE_URL",
        base_url: "https://openrouter.ai/api/v1",
        default_model: Some("openrouter/auto"),
        asks_for_usage: true,
        takes_schema: true,
    },
    Vendor {
        name: "mistral",
        title: "Mistral",
        wire: Wire::OpenAi,
        key_variable: "MISTRAL_API_KEY",
        base_url_variable: "MISTRAL_BASE_URL",
        base_url: "https://api.mistral.ai/v1",
        default_model: Some("mistral-small-latest"),
        asks_for_usage: false,
        takes_schema: true,
    },
    Vendor {
        name: "deepseek",
        title: "DeepSeek",
        wire: Wire::OpenAi,
        key_variable: "DEEPSEEK_API_KEY",
        base_url_variable: "DEEPSEEK_BASE_URL",
        base_url: "https://api.deepseek.com/v1",
        default_model: None,
        asks_for_usage: true,
        takes_schema: false,
    },
    Vendor {
        name: "groq",
        title: "Groq",
        wire: Wire::OpenAi,
        key_variable: "GROQ_API_KEY",
        base_url_variable: "GROQ_BASE_URL",
        base_url: "https://api.groq.com/openai/v1",
        default_model: None,
        asks_for_usage: true,
        takes_schema: false,
    },
    Vendor {
        name: "xai",
        title: "xAI",
        wire: Wire::OpenAi,
        key_variable: "XAI_API_KEY",
        base_url_variable: "XAI_BASE_URL",
        base_url: "https://api.x.ai/v1",
        default_model: None,
        asks_for_usage: true,
        takes_schema: true,
    },
    Vendor {
        name: "ollama",
        title: "Ollama",
        wire: Wire::Ollama,
        key_variable: "OLLAMA_API_KEY",
        base_url_variable: "OLLAMA_BASE_URL",
        base_url: "http://localhost:11434",
        default_model: None,
        asks_for_usage: true,
        takes_schema: true,
    },
];

/// A vendor of which the key or the address is set.
#[derive(Debug, Clone)]
pub struct ConfiguredVendor {
    pub vendor: &'static Vendor,
    pub base_url: Option<Url>,
    pub api_key: Option<SecretString>,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_vendors_share_a_name_or_a_variable_and_every_address_is_one() {
        let variables = VENDORS.iter().flat_map(|vendor| [vendor.key_variable, vendor.base_url_variable, vendor.name]);
        assert_eq!(variables.collect::<HashSet<_>>().len(), 3 * VENDORS.len());
        assert!(VENDORS.iter().all(|vendor| Url::parse(vendor.base_url).is_ok_and(|url| url.has_host())));
        // `name:model` is taken apart at the first colon.
        assert!(VENDORS.iter().all(|vendor| !vendor.name.contains(':') && vendor.name != "offline"));
    }
}
