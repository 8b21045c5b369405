//! A plain answer.

use serde_json::{Value, json};

use crate::scene::{Citation, Finish, Piece, Reply, Usage};

/// The whole message.
pub(super) fn plain(reply: &Reply) -> Value {
    let content: Vec<Value> = reply
        .pieces
        .iter()
        .map(|piece| block(reply, piece))
        .collect();
    let mut message = shell(reply);
    message["content"] = content.into();
    message["stop_reason"] = stop_reason(reply).into();
    message["stop_sequence"] = stop_sequence(reply).into();
    message
}

/// The message as a stream begins it: without content and without an end.
pub(super) fn shell(reply: &Reply) -> Value {
    json!({
        "id": format!("msg_{}", reply.id), "type": "message", "role": "assistant",
        "model": reply.model, "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": usage(&reply.usage),
    })
}

pub(super) fn stop_reason(reply: &Reply) -> &'static str {
    match reply.finish {
        Finish::Stop => "end_turn",
        Finish::Calls => "tool_use",
        Finish::Refusal | Finish::Filter => "refusal",
        Finish::Length => "max_tokens",
        Finish::StopSequence(_) => "stop_sequence",
    }
}

pub(super) fn stop_sequence(reply: &Reply) -> Option<&str> {
    match &reply.finish {
        Finish::StopSequence(text) => Some(text),
        _ => None,
    }
}

/// Input that a cache had does not count as input again.
pub(super) fn usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input, "output_tokens": usage.all_output(),
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "server_tool_use": null, "service_tier": "standard",
    })
}

/// Where in which document of the request a text comes from.
pub(super) fn citation() -> Value {
    json!({"type": "char_location", "cited_text": Citation::TEXT, "document_index": 0,
           "document_title": Citation::TITLE, "start_char_index": 0,
           "end_char_index": Citation::TEXT.len()})
}

fn block(reply: &Reply, piece: &Piece) -> Value {
    match piece {
        Piece::Thought {
            fragments,
            signature,
        } => json!({"type": "thinking", "thinking": fragments.concat(), "signature": signature}),
        Piece::Redacted(data) => json!({"type": "redacted_thinking", "data": data}),
        Piece::Text(fragments) | Piece::Refusal(fragments) => {
            let citations = reply.scene.citations.then(|| [citation()]);
            json!({"type": "text", "text": fragments.concat(), "citations": citations})
        }
        Piece::Call(call) => json!({
            "type": "tool_use", "id": format!("toolu_{}", call.id), "name": call.name,
            "input": call.arguments,
        }),
    }
}
