//! Lists of models: ours for clients, and those of upstreams.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::{request::MAX_MODEL_CHARS, upstream_error::MalformedAnswer};
use crate::json;

/// The most models that are taken from one upstream's list.
pub const MAX_MODELS: usize = 10_000;

/// One model as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelCard<'a> {
    /// What to put in `model`.
    pub id: &'a str,
    /// Unix seconds.
    pub created: u64,
    /// The provider's name.
    pub owned_by: &'a str,
}

#[derive(Serialize)]
struct Card<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'a str,
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Card<'a>>,
}

impl<'a> From<ModelCard<'a>> for Card<'a> {
    fn from(model: ModelCard<'a>) -> Self {
        Self {
            id: model.id,
            object: "model",
            created: model.created,
            owned_by: model.owned_by,
        }
    }
}

/// The answer to `GET /v1/models`.
#[must_use]
pub fn render_list<'a>(models: impl IntoIterator<Item = ModelCard<'a>>) -> Bytes {
    let data: Vec<Card<'a>> = models.into_iter().map(Card::from).collect();
    let mut out = Vec::with_capacity(32 + data.len() * 96);
    let object = "list";
    json::append(&mut out, &List { object, data });
    out.into()
}

/// The answer to `GET /v1/models/{id}`.
#[must_use]
pub fn render_one(model: ModelCard<'_>) -> Bytes {
    let mut out = Vec::with_capacity(128);
    json::append(&mut out, &Card::from(model));
    out.into()
}

/// The model ids of an upstream's list, in its order, each once: `{"data":[{"id"}]}`, or what some
/// send in its place, a bare array or `{"models":[{"name"}]}`. Entries without a fit id are left
/// out, and all past [`MAX_MODELS`].
///
/// # Errors
/// When the answer is not JSON or has no list.
pub fn parse_list(body: &[u8]) -> Result<Vec<String>, MalformedAnswer> {
    let malformed = |reason: String| MalformedAnswer { reason };
    let root: Value = serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    let entries = ["data", "models"]
        .iter()
        .find_map(|key| root.get(key)?.as_array())
        .or_else(|| root.as_array())
        .ok_or_else(|| malformed("it has no list `data`".to_owned()))?;
    let mut known = std::collections::HashSet::new();
    Ok(entries
        .iter()
        .filter_map(id_of)
        .filter(|id| known.insert(*id))
        .take(MAX_MODELS)
        .map(str::to_owned)
        .collect())
}

fn id_of(entry: &Value) -> Option<&str> {
    let id = ["id", "name", "model"]
        .iter()
        .find_map(|key| entry.get(key)?.as_str())
        .or_else(|| entry.as_str())?;
    let fit = !id.trim().is_empty()
        && id.chars().count() <= MAX_MODEL_CHARS
        && !id.chars().any(char::is_control);
    fit.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: ModelCard<'_> = ModelCard {
        id: "acme/gpt-4o",
        created: 1_700_000_000,
        owned_by: "acme",
    };

    #[test]
    fn our_list_and_our_card() {
        let card =
            r#"{"id":"acme/gpt-4o","object":"model","created":1700000000,"owned_by":"acme"}"#;
        assert_eq!(render_one(CARD), card);
        let list = format!(r#"{{"object":"list","data":[{card}]}}"#);
        assert_eq!(render_list([CARD]), list);
        assert_eq!(render_list([]), r#"{"object":"list","data":[]}"#);
        assert_eq!(parse_list(list.as_bytes()).unwrap(), ["acme/gpt-4o"]);
    }

    #[test]
    fn upstreams_lists() {
        let cases = [
            (
                r#"{"data":[{"id":"a","x":{}},{"id":"b"},{"id":"a"}],"has_more":false}"#,
                vec!["a", "b"],
            ),
            (
                r#"[{"id":"a"},{"id":7},null,{"id":""},{"id":"a\nb"}]"#,
                vec!["a"],
            ),
            (
                r#"{"models":[{"name":"llama3:8b","model":"llama3:8b"}]}"#,
                vec!["llama3:8b"],
            ),
            (r#"{"data":["plain"]}"#, vec!["plain"]),
            (r#"{"data":[]}"#, vec![]),
        ];
        for (body, expected) in cases {
            assert_eq!(parse_list(body.as_bytes()).unwrap(), expected, "{body}");
        }
        let many: Vec<Value> = (0..MAX_MODELS + 5)
            .map(|n| Value::from(n.to_string()))
            .collect();
        let many = Value::from(many).to_string();
        assert_eq!(parse_list(many.as_bytes()).unwrap().len(), MAX_MODELS);
        for body in [
            "",
            "<html>",
            r#"{"data":null}"#,
            r#"{"error":{"message":"x"}}"#,
        ] {
            assert!(parse_list(body.as_bytes()).is_err(), "{body}");
        }
    }
}
