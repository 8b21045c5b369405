//! A plain chat answer.

use serde_json::{Value, json};

use crate::scene::{Call, Citation, Finish, Piece, Reply, Usage};

use super::stock::CREATED;

/// The whole answer.
pub(super) fn plain(reply: &Reply) -> Value {
    let mut message = json!({
        "role": "assistant", "content": text(reply), "refusal": refusal(reply),
        "annotations": annotations(reply),
    });
    if let Some(thought) = thought(reply) {
        message["reasoning_content"] = thought.into();
    }
    let calls: Vec<Value> = reply.calls().into_iter().map(call).collect();
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    json!({
        "id": id(reply), "object": "chat.completion", "created": CREATED, "model": reply.model,
        "choices": [{
            "index": 0, "message": message, "logprobs": all_logprobs(reply),
            "finish_reason": finish_reason(reply),
        }],
        "usage": usage(&reply.usage), "service_tier": "default", "system_fingerprint": "fp_sim",
    })
}

pub(super) fn id(reply: &Reply) -> String {
    format!("chatcmpl-{}", reply.id)
}

/// The id of a call in this dialect.
pub(super) fn call_id(call: &Call) -> String {
    format!("call_{}", call.id)
}

pub(super) fn finish_reason(reply: &Reply) -> &'static str {
    match reply.finish {
        // a model that declines has finished as far as this dialect is concerned
        Finish::Stop | Finish::StopSequence(_) | Finish::Refusal => "stop",
        Finish::Calls => "tool_calls",
        Finish::Filter => "content_filter",
        Finish::Length => "length",
    }
}

pub(super) fn usage(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.all_input(), "completion_tokens": usage.all_output(),
        "total_tokens": usage.total(),
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    })
}

pub(super) fn annotations(reply: &Reply) -> Value {
    if !reply.scene.citations {
        return json!([]);
    }
    json!([{"type": "url_citation", "url_citation": {
        "start_index": 0, "end_index": 5, "title": Citation::TITLE, "url": Citation::URL,
    }}])
}

/// The log probabilities of one fragment, taken for one token.
pub(super) fn logprob(fragment: &str) -> Value {
    json!({"token": fragment, "logprob": -0.25, "bytes": fragment.as_bytes(), "top_logprobs": []})
}

fn all_logprobs(reply: &Reply) -> Value {
    if !reply.scene.logprobs {
        return Value::Null;
    }
    let texts = reply.pieces.iter().filter_map(|piece| match piece {
        Piece::Text(fragments) => Some(fragments),
        _ => None,
    });
    let tokens: Vec<Value> = texts.flatten().map(|fragment| logprob(fragment)).collect();
    json!({"content": tokens, "refusal": null})
}

fn call(call: &Call) -> Value {
    json!({"id": call_id(call), "type": "function",
           "function": {"name": call.name, "arguments": call.fragments.concat()}})
}

fn text(reply: &Reply) -> Option<String> {
    reply.pieces.iter().find_map(|piece| match piece {
        Piece::Text(fragments) => Some(fragments.concat()),
        _ => None,
    })
}

fn refusal(reply: &Reply) -> Option<String> {
    reply.pieces.iter().find_map(|piece| match piece {
        Piece::Refusal(fragments) => Some(fragments.concat()),
        _ => None,
    })
}

fn thought(reply: &Reply) -> Option<String> {
    reply.pieces.iter().find_map(|piece| match piece {
        Piece::Thought { fragments, .. } => Some(fragments.concat()),
        _ => None,
    })
}
