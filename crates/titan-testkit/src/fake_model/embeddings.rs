//! Embeddings of the fake model: the same for the same text, close for texts that share words, and for a few words that mean the same.

use serde_json::{Value, json};

use super::dialect::Dialect;

const DIMENSIONS: usize = 64;

/// Words that count as one.
const SAME: [&[&str]; 3] = [&["tea", "darjeeling"], &["car", "automobile"], &["invoice", "bill"]];

/// What says nothing about the subject.
const EMPTY: [&str; 14] = ["the", "a", "an", "is", "are", "of", "to", "and", "in", "what", "who", "it", "for", "does"];

/// Each word is a direction of its own; two may fall together, seldom.
pub(super) fn embedding_of(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSIONS];
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
    for word in words.filter(|word| !EMPTY.contains(&word.as_str())) {
        let word = SAME.iter().find(|same| same.contains(&word.as_str())).map_or(word.as_str(), |same| same[0]);
        // FNV, which stays the same from version to version.
        let hash = word
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        vector[(hash % DIMENSIONS as u64) as usize] += 1.0;
    }
    if vector.iter().all(|value| *value == 0.0) {
        vector[0] = 1.0;
    }
    vector
}

/// The texts of a request.
pub(super) fn texts(dialect: Dialect, body: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match dialect {
        Dialect::Gemini => {
            let text = |request: &Value| request.pointer("/content/parts/0/text").and_then(text);
            body.get("requests")?.as_array()?.iter().map(text).collect()
        }
        _ => body.get("input")?.as_array()?.iter().map(text).collect(),
    }
}

/// The answer as each wire writes it. OpenAI's says which text each belongs to, and may be in any order.
pub(super) fn answer(dialect: Dialect, texts: &[String]) -> Value {
    let vectors = texts.iter().map(|text| embedding_of(text));
    match dialect {
        Dialect::Gemini => json!({"embeddings": vectors.map(|vector| json!({"values": vector})).collect::<Vec<_>>()}),
        Dialect::Ollama => json!({"model": "fake-embed", "embeddings": vectors.collect::<Vec<_>>()}),
        _ => {
            let one = |(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector});
            let data: Vec<Value> = vectors.enumerate().map(one).rev().collect();
            json!({"object": "list", "model": "fake-embed", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}})
        }
    }
}
