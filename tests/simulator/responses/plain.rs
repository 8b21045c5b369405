//! A plain answer, and the items that a stream has as well.

use serde_json::{Value, json};

use crate::scene::{Call, Citation, Finish, Piece, Reply, Usage};

/// When all answers were made, as they say.
const CREATED: u32 = 1_763_712_000;

/// The whole response.
pub(super) fn plain(reply: &Reply) -> Value {
    let pieces = reply.pieces.iter().enumerate();
    let output: Vec<Value> = pieces
        .map(|(index, piece)| item(reply, piece, index))
        .collect();
    let mut response = shell(reply);
    response["status"] = status(reply).into();
    response["incomplete_details"] = incomplete(reply);
    response["completed_at"] = CREATED.into();
    response["output"] = output.into();
    response["usage"] = usage(&reply.usage);
    response
}

/// The response as a stream begins it: without output and in progress.
pub(super) fn shell(reply: &Reply) -> Value {
    json!({
        "id": format!("resp_{}", reply.id), "object": "response", "created_at": CREATED,
        "completed_at": null, "status": "in_progress", "background": false, "error": null,
        "incomplete_details": null, "instructions": null, "max_output_tokens": null,
        "model": reply.model, "output": [], "parallel_tool_calls": true,
        "previous_response_id": null, "reasoning": {"effort": null, "summary": null},
        "service_tier": "default", "store": true, "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"}, "tool_choice": "auto",
        "tools": [], "top_p": 1.0, "truncation": "disabled", "usage": null, "user": null,
        "metadata": {},
    })
}

pub(super) fn status(reply: &Reply) -> &'static str {
    match reply.finish {
        Finish::Length | Finish::Filter => "incomplete",
        _ => "completed",
    }
}

fn incomplete(reply: &Reply) -> Value {
    match reply.finish {
        Finish::Length => json!({"reason": "max_output_tokens"}),
        Finish::Filter => json!({"reason": "content_filter"}),
        _ => Value::Null,
    }
}

fn usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.all_input(),
        "input_tokens_details": {
            "cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.all_output(),
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total(),
    })
}

/// The item that a piece becomes, finished.
pub(super) fn item(reply: &Reply, piece: &Piece, index: usize) -> Value {
    match piece {
        Piece::Thought {
            fragments,
            signature,
        } => json!({
            "id": item_id(reply, piece, index), "type": "reasoning",
            "summary": [{"type": "summary_text", "text": fragments.concat()}],
            "encrypted_content": signature,
        }),
        Piece::Redacted(sealed) => json!({
            "id": item_id(reply, piece, index), "type": "reasoning", "summary": [],
            "encrypted_content": sealed,
        }),
        Piece::Text(_) | Piece::Refusal(_) => json!({
            "id": item_id(reply, piece, index), "type": "message", "role": "assistant",
            "status": status(reply), "content": [part(reply, piece)],
        }),
        Piece::Call(call) => json!({
            "id": item_id(reply, piece, index), "type": "function_call", "status": "completed",
            "call_id": call_id(call), "name": call.name, "arguments": arguments(call),
        }),
    }
}

/// An item's id, which says what it is of.
pub(super) fn item_id(reply: &Reply, piece: &Piece, index: usize) -> String {
    let prefix = match piece {
        Piece::Thought { .. } | Piece::Redacted(_) => "rs",
        Piece::Text(_) | Piece::Refusal(_) => "msg",
        Piece::Call(_) => "fc",
    };
    format!("{prefix}_{}{index}", reply.id)
}

pub(super) fn call_id(call: &Call) -> String {
    format!("call_{}", call.id)
}

/// A call's arguments; this service writes none as an empty object.
pub(super) fn arguments(call: &Call) -> String {
    call.arguments.to_string()
}

/// The content of a message item, finished.
pub(super) fn part(reply: &Reply, piece: &Piece) -> Value {
    match piece {
        Piece::Refusal(fragments) => json!({"type": "refusal", "refusal": fragments.concat()}),
        Piece::Text(fragments) => json!({
            "type": "output_text", "text": fragments.concat(), "annotations": annotations(reply),
            "logprobs": logprobs(reply, fragments),
        }),
        _ => Value::Null,
    }
}

/// The text's citations.
pub(super) fn annotations(reply: &Reply) -> Vec<Value> {
    if !reply.scene.citations {
        return Vec::new();
    }
    vec![
        json!({"type": "url_citation", "start_index": 0, "end_index": 5,
                "title": Citation::TITLE, "url": Citation::URL}),
    ]
}

/// The log probabilities of fragments, each taken for one token.
pub(super) fn logprobs(reply: &Reply, fragments: &[String]) -> Vec<Value> {
    if !reply.scene.logprobs {
        return Vec::new();
    }
    let tokens = fragments.iter().map(|fragment| {
        json!({"token": fragment, "logprob": -0.25, "bytes": fragment.as_bytes(),
               "top_logprobs": []})
    });
    tokens.collect()
}
