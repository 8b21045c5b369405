//! The list of models.

use serde::Deserialize;

use crate::openai::{model::MAX_MODELS, upstream_error::MalformedAnswer};

/// What all models that chat are said to be able to.
const CHAT: &str = "generateContent";

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPage {
    /// Those that chat, without `models/` before their names.
    pub models: Vec<String>,
    /// What to ask for the next page with (`pageToken`); none on the last.
    pub next_page: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    models: Vec<Card>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    #[serde(default)]
    name: String,
    #[serde(default)]
    supported_generation_methods: Option<Vec<String>>,
}

/// Reads an answer of `GET /v1beta/models`: at most [`MAX_MODELS`] of them.
///
/// # Errors
/// When it is not JSON or has no list.
pub fn parse_models(body: &[u8]) -> Result<ModelPage, MalformedAnswer> {
    let page: Page = serde_json::from_slice(body).map_err(|error| MalformedAnswer {
        reason: error.to_string(),
    })?;
    let models = page
        .models
        .into_iter()
        .filter(Card::chats)
        .filter_map(|card| {
            let name = card.name.strip_prefix("models/").unwrap_or(&card.name);
            (!name.trim().is_empty()).then(|| name.to_owned())
        });
    Ok(ModelPage {
        models: models.take(MAX_MODELS).collect(),
        next_page: page.next_page_token.filter(|token| !token.is_empty()),
    })
}

impl Card {
    /// Where nothing is said of what it can, it is taken.
    fn chats(&self) -> bool {
        let methods = self.supported_generation_methods.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == CHAT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_chat_are_listed_by_their_bare_names() {
        let body = br#"{
            "models": [
                {"name": "models/gemini-2.5-pro", "version": "2.5", "supportedGenerationMethods": ["generateContent", "countTokens"]},
                {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]},
                {"name": "models/imagen-4.0-generate-001", "supportedGenerationMethods": ["predict"]},
                {"name": "gemini-flash-latest"},
                {"name": "models/"}
            ],
            "nextPageToken": "abc"
        }"#;
        let page = parse_models(body).unwrap();
        assert_eq!(page.models, ["gemini-2.5-pro", "gemini-flash-latest"]);
        assert_eq!(page.next_page.as_deref(), Some("abc"));
        let last = parse_models(br#"{"models":[],"nextPageToken":""}"#).unwrap();
        assert_eq!(
            last,
            ModelPage {
                models: vec![],
                next_page: None
            }
        );
        for other in [
            &b"{}"[..],
            b"<html>",
            br#"{"models":{}}"#,
            br#"{"error":{"code":403}}"#,
        ] {
            assert!(parse_models(other).is_err());
        }
    }
}
