//! `GET /api/admin/route`: who would serve a model now, in which order, and why.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use troupe_actors::{
    catalog::{Affinity, Explanation, ResolvedBy, route::Ranked},
    credentials::token_pool::snapshot::{TokenSnapshot, TokenState},
};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    admitted::{Admin, Refused},
    json,
};
use crate::http::{error::ApiError, fallback::unknown_model};

/// The model, and the conversation with the app that it belongs to: apps share none.
#[derive(Debug, Deserialize)]
pub struct Query {
    model: String,
    app: Option<String>,
    conversation: Option<String>,
}

impl Query {
    fn affinity(&self) -> Result<Option<Affinity>, ApiError> {
        match (&self.conversation, &self.app) {
            (None, _) => Ok(None),
            (Some(conversation), Some(app)) => Ok(Some(Affinity::of(app, conversation))),
            (Some(_), None) => Err(ApiError::param(
                ErrorCode::InvalidRequest,
                "app",
                "give the id of the conversation's app as `app`, GET /api/admin/calls shows it",
            )),
        }
    }
}

/// Who would serve.
#[derive(Serialize)]
struct Answer<'a> {
    model: &'a str,
    resolved_by: ResolvedBy,
    conversation: Option<&'a str>,
    candidates: Vec<Candidate<'a>>,
    /// Targets of the route whose provider does not have them.
    not_offered: &'a [std::sync::Arc<str>],
    /// None without a route.
    policy: Option<Value>,
}

#[derive(Serialize)]
struct Candidate<'a> {
    provider: &'a str,
    /// The full id.
    model: &'a str,
    upstream_model: &'a str,
    priority: Option<u32>,
    weight: Option<u32>,
    state: &'static str,
    /// Until it may be ready again, rounded up.
    ready_in_seconds: Option<u64>,
    tokens: Value,
    why: String,
}

/// `GET /api/admin/route?model[&conversation&app]`
pub async fn explain(admin: Admin, query: web::Query<Query>) -> Result<HttpResponse, Refused> {
    let affinity = query.affinity()?;
    let directory = admin.services.catalog.directory().clone();
    let found = directory.explain(&query.model, affinity);
    let found = found.ok_or_else(|| unknown_model(&query.model))?;
    let mut candidates = Vec::new();
    for (place, ranked) in found.ranked.iter().enumerate() {
        let tokens = tokens(ranked).await;
        let why = why(&found, place, &query);
        candidates.push(candidate(ranked, tokens, why));
    }
    Ok(json(&Answer {
        model: &query.model,
        resolved_by: found.resolved_by,
        conversation: query.conversation.as_deref(),
        candidates,
        not_offered: &found.absent,
        policy: found.policy.as_deref().map(|policy| json!(policy)),
    }))
}

fn candidate(ranked: &Ranked, tokens: Value, why: String) -> Candidate<'_> {
    let (target, readiness) = (&ranked.target, ranked.readiness);
    Candidate {
        provider: &target.provider.name,
        model: &target.id,
        upstream_model: &target.upstream,
        priority: ranked.share.map(|share| share.priority),
        weight: ranked.share.map(|share| share.weight),
        state: readiness.state(),
        ready_in_seconds: readiness
            .left()
            .map(|left| left.as_millis().div_ceil(1_000) as u64),
        tokens,
        why,
    }
}

/// The tokens of a target's provider, by alias, as they are for its model.
async fn tokens(ranked: &Ranked) -> Value {
    let target = &ranked.target;
    let pool = match target.provider.pool.snapshot().await {
        Ok(pool) => pool,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let shown = |token: &TokenSnapshot| {
        let rest = token
            .models
            .iter()
            .find(|rest| rest.model == target.upstream);
        let (state, reason) = match (token.state, rest) {
            (TokenState::Ready, Some(rest)) => (TokenState::Cold, Some(&rest.reason)),
            (state, _) => (state, token.reason.as_ref()),
        };
        (
            state,
            json!({ "alias": token.alias, "state": state, "reason": reason }),
        )
    };
    let (states, list): (Vec<_>, Vec<_>) = pool.tokens.iter().map(shown).unzip();
    let ready = states.iter().filter(|state| **state == TokenState::Ready);
    json!({ "ready": ready.count(), "total": list.len(), "list": list })
}

/// Why it stands in its place, in a sentence.
fn why(found: &Explanation, place: usize, query: &Query) -> String {
    let ranked = &found.ranked[place];
    let (Some(policy), Some(share)) = (&found.policy, ranked.share) else {
        return understood(found.resolved_by, ranked, &query.model);
    };
    if place >= policy.max_attempts {
        return format!("not asked, since max_attempts is {}", policy.max_attempts);
    }
    let turn = match place {
        0 => "asked first",
        _ => "asked when those before it have failed",
    };
    if !ranked.readiness.is_ready() {
        return format!("{turn}, behind all that are ready: {}", ranked.readiness);
    }
    let equals = found.ranked.iter().filter(|other| {
        let same = |other: &Ranked| other.share.map(|share| share.priority) == Some(share.priority);
        same(other) && other.readiness.is_ready()
    });
    let weights: Vec<u64> = equals
        .filter_map(|one| Some(u64::from(one.share?.weight)))
        .collect();
    let (priority, weight) = (share.priority, share.weight);
    if weights.len() == 1 {
        return format!("{turn}: priority {priority}");
    }
    let total: u64 = weights.iter().sum();
    let chance = match (policy.sticky, &query.conversation) {
        (true, Some(_)) => "the same each time for this conversation",
        _ => "drawn for each request, the heaviest shown first",
    };
    format!("{turn}: priority {priority}, weight {weight} of {total}, {chance}")
}

/// The same for a model without a route.
fn understood(resolved_by: ResolvedBy, ranked: &Ranked, name: &str) -> String {
    let provider = &ranked.target.provider;
    let how = match resolved_by {
        ResolvedBy::BareName if provider.is_default => {
            format!("the default provider {} lists `{name}`", provider.name)
        }
        ResolvedBy::BareName => {
            format!(
                "{} is the first provider that lists `{name}`",
                provider.name
            )
        }
        ResolvedBy::OpenProvider => format!(
            "the models of {} are not known, so it is asked for any",
            provider.name
        ),
        ResolvedBy::FullId | ResolvedBy::Route => {
            format!("`{name}` is the full id of a model of {}", provider.name)
        }
    };
    match ranked.readiness.is_ready() {
        true => how,
        false => format!("{how}; {}", ranked.readiness),
    }
}
