//! A chat answer as a stream of chunks.

use serde_json::{Value, json};

use crate::{
    frames::{Faults, Frames, Reel},
    refusal,
    scene::{Call, Piece, Reply, Style},
};

use super::{
    plain::{annotations, call_id, finish_reason, id, logprob, usage},
    stock::CREATED,
};

pub(super) const DONE: &str = "data: [DONE]\n\n";

/// The whole stream.
pub(super) fn stream(reply: &Reply) -> Frames {
    let mut reel = Reel::default();
    let first = json!({"role": "assistant", "content": "", "refusal": null});
    reel.quiet(&chunk(reply, &first, None));
    reel.end_head();
    for piece in &reply.pieces {
        let name = match piece {
            Piece::Thought { .. } => "reasoning_content",
            Piece::Text(_) => "content",
            Piece::Refusal(_) => "refusal",
            Piece::Redacted(_) | Piece::Call(_) => continue,
        };
        let (Piece::Thought { fragments, .. } | Piece::Text(fragments) | Piece::Refusal(fragments)) =
            piece
        else {
            continue;
        };
        for fragment in fragments {
            let delta = json!({name: fragment});
            let token = (name == "content" && reply.scene.logprobs).then(|| logprob(fragment));
            reel.event(&chunk(reply, &delta, token));
        }
    }
    stream_calls(&mut reel, reply);
    if reply.scene.citations {
        reel.quiet(&chunk(
            reply,
            &json!({"annotations": annotations(reply)}),
            None,
        ));
    }
    reel.quiet(&frame(
        reply,
        &choice(&json!({}), &Value::Null, Some(finish_reason(reply))),
    ));
    if reply.include_usage {
        reel.quiet(&usage_frame(reply));
    }
    reel.end(DONE.to_owned(), faults())
}

/// What goes wrong in a chat stream.
pub(super) fn faults() -> Faults {
    Faults {
        error: format!("data: {}\n\n", refusal::stream_error()).into(),
        broken: "data: {\"id\":\"chatcmpl-sim\",\"choices\":[{\"delta\":{\"cont",
        line: (
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"".to_owned(),
            "\"},\"finish_reason\":null}]}".to_owned(),
        ),
    }
}

fn stream_calls(reel: &mut Reel, reply: &Reply) {
    let calls = reply.calls();
    if calls.is_empty() {
        return;
    }
    let delta = |calls: Value| chunk(reply, &json!({"tool_calls": calls}), None);
    match reply.style() {
        Style::OnePiece => {
            let whole =
                |(index, call): (usize, &&Call)| opening(index, call, &call.fragments.concat());
            let whole: Vec<Value> = calls.iter().enumerate().map(whole).collect();
            reel.event(&delta(whole.into()));
        }
        Style::Fragments => {
            for (index, call) in calls.iter().enumerate() {
                reel.quiet(&delta(json!([opening(index, call, "")])));
                for fragment in &call.fragments {
                    reel.event(&delta(json!([more(index, fragment)])));
                }
            }
        }
        Style::Interleaved => {
            for (index, call) in calls.iter().enumerate() {
                reel.quiet(&delta(json!([opening(index, call, "")])));
            }
            let most = calls
                .iter()
                .map(|call| call.fragments.len())
                .max()
                .unwrap_or(0);
            for turn in 0..most {
                for (index, call) in calls.iter().enumerate() {
                    if let Some(fragment) = call.fragments.get(turn) {
                        reel.event(&delta(json!([more(index, fragment)])));
                    }
                }
            }
        }
    }
}

/// The first delta of a call, which alone has its id and name.
fn opening(index: usize, call: &Call, arguments: &str) -> Value {
    json!({"index": index, "id": call_id(call), "type": "function",
           "function": {"name": call.name, "arguments": arguments}})
}

fn more(index: usize, fragment: &str) -> Value {
    json!({"index": index, "function": {"arguments": fragment}})
}

fn chunk(reply: &Reply, delta: &Value, token: Option<Value>) -> String {
    let logprobs = token.map_or(
        Value::Null,
        |token| json!({"content": [token], "refusal": null}),
    );
    frame(reply, &choice(delta, &logprobs, None))
}

fn choice(delta: &Value, logprobs: &Value, finish: Option<&str>) -> Value {
    json!([{"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}])
}

fn frame(reply: &Reply, choices: &Value) -> String {
    let mut data = json!({
        "id": id(reply), "object": "chat.completion.chunk", "created": CREATED,
        "model": reply.model, "service_tier": "default", "system_fingerprint": "fp_sim",
        "choices": choices,
    });
    if reply.include_usage {
        data["usage"] = Value::Null;
    }
    format!("data: {data}\n\n")
}

fn usage_frame(reply: &Reply) -> String {
    let data = json!({
        "id": id(reply), "object": "chat.completion.chunk", "created": CREATED,
        "model": reply.model, "service_tier": "default", "system_fingerprint": "fp_sim",
        "choices": [], "usage": usage(&reply.usage),
    });
    format!("data: {data}\n\n")
}
