//! Lists of models in Anthropic's shape: ours for clients, and those of upstreams.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

use crate::{
    json,
    openai::{
        model::{ModelCard, parse_list as parse_ids},
        upstream_error::MalformedAnswer,
    },
};

#[derive(Serialize)]
struct Card<'a> {
    r#type: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: String,
}

#[derive(Serialize)]
struct List<'a> {
    data: &'a [Card<'a>],
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

impl<'a> From<ModelCard<'a>> for Card<'a> {
    fn from(model: ModelCard<'a>) -> Self {
        let created = i64::try_from(model.created).unwrap_or_default();
        let created = DateTime::from_timestamp(created, 0).unwrap_or_default();
        Self {
            r#type: "model",
            id: model.id,
            display_name: model.id,
            created_at: created.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

/// The answer to `GET /v1/models` of an Anthropic client: all models on one page.
#[must_use]
pub fn render_list<'a>(models: impl IntoIterator<Item = ModelCard<'a>>) -> Bytes {
    let data: Vec<Card<'a>> = models.into_iter().map(Card::from).collect();
    let mut out = Vec::with_capacity(64 + data.len() * 128);
    let list = List {
        has_more: false,
        first_id: data.first().map(|card| card.id),
        last_id: data.last().map(|card| card.id),
        data: &data,
    };
    json::append(&mut out, &list);
    out.into()
}

/// The answer to `GET /v1/models/{id}` of an Anthropic client.
#[must_use]
pub fn render_one(model: ModelCard<'_>) -> Bytes {
    let mut out = Vec::with_capacity(160);
    json::append(&mut out, &Card::from(model));
    out.into()
}

/// A page of an upstream's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The models, in the upstream's order, each once.
    pub ids: Vec<String>,
    /// What to ask the next page with, as `after_id`; none = this was the last one.
    pub after_id: Option<String>,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    has_more: Option<bool>,
    #[serde(default)]
    last_id: Option<String>,
}

/// Reads a page of `GET /v1/models?limit=…&after_id=…`.
///
/// # Errors
/// When the answer is not JSON or has no list.
pub fn parse_list(body: &[u8]) -> Result<Page, MalformedAnswer> {
    let ids = parse_ids(body)?;
    // compatible services page not at all, or in ways of their own
    let after_id = serde_json::from_slice(body)
        .ok()
        .filter(|paging: &Paging| paging.has_more == Some(true))
        .and_then(|paging| paging.last_id);
    Ok(Page { ids, after_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: ModelCard<'_> = ModelCard {
        id: "claude-sonnet-4-5",
        created: 1_759_104_000,
        owned_by: "anthropic",
    };

    #[test]
    fn our_list_and_our_card() {
        let card = r#"{"type":"model","id":"claude-sonnet-4-5","display_name":"claude-sonnet-4-5","created_at":"2025-09-29T00:00:00Z"}"#;
        assert_eq!(render_one(CARD), card);
        let list = format!(
            r#"{{"data":[{card}],"has_more":false,"first_id":"claude-sonnet-4-5","last_id":"claude-sonnet-4-5"}}"#
        );
        assert_eq!(render_list([CARD]), list);
        let empty = r#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#;
        assert_eq!(render_list([]), empty);
    }

    #[test]
    fn pages_say_how_to_go_on() {
        let page = |body: &str| parse_list(body.as_bytes()).unwrap();
        let more = page(
            r#"{"data":[{"type":"model","id":"a"},{"id":"b"}],"has_more":true,"last_id":"b"}"#,
        );
        assert_eq!(more.ids, ["a", "b"]);
        assert_eq!(more.after_id.as_deref(), Some("b"));
        let last = page(r#"{"data":[{"id":"c"}],"has_more":false,"last_id":"c"}"#);
        assert_eq!(last.after_id, None);
        assert_eq!(page(r#"{"data":[],"has_more":"?"}"#).after_id, None);
        assert!(parse_list(b"{}").is_err());
    }
}
