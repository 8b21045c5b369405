//! A plain answer, and the parts that a stream has as well.

use serde_json::{Value, json};

use crate::scene::{Call, Citation, Finish, Piece, Reply, Usage};

use super::contents::sealed;

/// The whole answer.
pub(super) fn plain(reply: &Reply) -> Value {
    let parts: Vec<Value> = reply
        .pieces
        .iter()
        .filter_map(|piece| part(reply, piece))
        .collect();
    let mut answer = envelope(reply, &usage(&reply.usage));
    match reply.finish {
        Finish::Filter => answer["promptFeedback"] = blocked(),
        _ => answer["candidates"] = json!([candidate(reply, signed(reply, parts))]),
    }
    answer
}

/// What each answer and each chunk has.
pub(super) fn envelope(reply: &Reply, usage: &Value) -> Value {
    json!({"usageMetadata": usage, "modelVersion": reply.model, "responseId": reply.id})
}

/// The one candidate with its end.
pub(super) fn candidate(reply: &Reply, parts: Vec<Value>) -> Value {
    let mut candidate = json!({"finishReason": finish_reason(reply), "index": 0});
    if reply.finish == Finish::Refusal {
        candidate["safetyRatings"] = ratings();
        return candidate;
    }
    candidate["content"] = json!({"parts": parts, "role": "model"});
    if reply.scene.citations {
        candidate["citationMetadata"] = json!({"citationSources": [{
            "startIndex": 0, "endIndex": 5, "uri": Citation::URL, "license": "",
        }]});
    }
    if reply.scene.logprobs {
        candidate["avgLogprobs"] = json!(-0.25);
        candidate["logprobsResult"] = logprobs(reply);
    }
    candidate
}

fn finish_reason(reply: &Reply) -> &'static str {
    match reply.finish {
        // calls are no reason of their own to this service
        Finish::Stop | Finish::Calls | Finish::StopSequence(_) => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Refusal | Finish::Filter => "SAFETY",
    }
}

/// Why a request has no candidate at all.
pub(super) fn blocked() -> Value {
    json!({"blockReason": "SAFETY", "safetyRatings": ratings()})
}

fn ratings() -> Value {
    json!([{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true}])
}

/// Reasoning does not count as the candidate's, and there is nothing about writing to a cache.
pub(super) fn usage(usage: &Usage) -> Value {
    let mut counts = json!({
        "promptTokenCount": usage.all_input(), "candidatesTokenCount": usage.output,
        "totalTokenCount": usage.total(),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.all_input()}],
    });
    if usage.reasoning > 0 {
        counts["thoughtsTokenCount"] = usage.reasoning.into();
    }
    if usage.cache_read > 0 {
        counts["cachedContentTokenCount"] = usage.cache_read.into();
    }
    counts
}

fn part(reply: &Reply, piece: &Piece) -> Option<Value> {
    match piece {
        Piece::Thought { fragments, .. } => Some(thought(&fragments.concat())),
        Piece::Text(fragments) => Some(json!({"text": fragments.concat()})),
        Piece::Call(call) => Some(function_call(reply, call)),
        // neither has a part of its own here
        Piece::Redacted(_) | Piece::Refusal(_) => None,
    }
}

pub(super) fn thought(text: &str) -> Value {
    json!({"text": text, "thought": true})
}

/// A call; the first one of a turn that was thought about carries the signature.
pub(super) fn function_call(reply: &Reply, call: &Call) -> Value {
    let mut part = json!({"functionCall": {"name": call.name, "args": call.arguments}});
    if reply.scene.call_ids {
        part["functionCall"]["id"] = call.id.as_str().into();
    }
    if let Some(signature) = &call.signature {
        part["thoughtSignature"] = sealed(signature).into();
    }
    part
}

/// Without calls, the last part carries the signature.
pub(super) fn signed(reply: &Reply, mut parts: Vec<Value>) -> Vec<Value> {
    if let (Some(signature), Some(last), true) =
        (signature(reply), parts.last_mut(), reply.calls().is_empty())
    {
        last["thoughtSignature"] = sealed(signature).into();
    }
    parts
}

/// What signs an answer that was thought about.
fn signature(reply: &Reply) -> Option<&str> {
    reply.pieces.iter().find_map(|piece| match piece {
        Piece::Thought { signature, .. } | Piece::Redacted(signature) => Some(signature.as_str()),
        _ => None,
    })
}

fn logprobs(reply: &Reply) -> Value {
    let texts = reply.pieces.iter().filter_map(|piece| match piece {
        Piece::Text(fragments) => Some(fragments),
        _ => None,
    });
    let chosen = texts
        .flatten()
        .map(|fragment| json!({"token": fragment, "logProbability": -0.25}));
    json!({"topCandidates": [], "chosenCandidates": chosen.collect::<Vec<_>>()})
}
