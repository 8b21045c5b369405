//! An answer as a stream of events.

use serde_json::{Value, json};

use crate::{
    frames::{Faults, Frames, Reel, named},
    scene::{Call, Piece, Reply},
};

use super::{
    plain::{citation, shell, stop_reason, stop_sequence, usage},
    voice::stream_error,
};

/// The whole stream: no two blocks are open at a time.
pub(super) fn stream(reply: &Reply) -> Frames {
    let mut reel = Reel::default();
    let mut message = shell(reply);
    message["usage"]["output_tokens"] = 1.into();
    reel.quiet(&named(
        &json!({"type": "message_start", "message": message}),
    ));
    reel.quiet(&named(&json!({"type": "ping"})));
    reel.end_head();
    for (index, piece) in reply.pieces.iter().enumerate() {
        block(&mut reel, reply, piece, index);
    }
    reel.quiet(&named(&json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason(reply), "stop_sequence": stop_sequence(reply)},
        "usage": usage(&reply.usage),
    })));
    reel.end(named(&json!({"type": "message_stop"})), faults())
}

fn faults() -> Faults {
    let open = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
                \"delta\":{\"type\":\"text_delta\",\"text\":\"";
    Faults {
        error: named(&stream_error()).into(),
        broken: "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"ind",
        line: (open.to_owned(), "\"}}".to_owned()),
    }
}

fn block(reel: &mut Reel, reply: &Reply, piece: &Piece, index: usize) {
    match piece {
        Piece::Thought {
            fragments,
            signature,
        } => {
            start(
                reel,
                index,
                &json!({"type": "thinking", "thinking": "", "signature": ""}),
            );
            deltas(
                reel,
                index,
                fragments,
                |text| json!({"type": "thinking_delta", "thinking": text}),
            );
            let signed = json!({"type": "signature_delta", "signature": signature});
            reel.quiet(&delta(index, &signed));
        }
        Piece::Redacted(data) => {
            start(
                reel,
                index,
                &json!({"type": "redacted_thinking", "data": data}),
            );
        }
        Piece::Text(fragments) | Piece::Refusal(fragments) => {
            let citations = reply.scene.citations.then(Vec::<Value>::new);
            start(
                reel,
                index,
                &json!({"type": "text", "text": "", "citations": citations}),
            );
            deltas(
                reel,
                index,
                fragments,
                |text| json!({"type": "text_delta", "text": text}),
            );
            if reply.scene.citations {
                let cited = json!({"type": "citations_delta", "citation": citation()});
                reel.quiet(&delta(index, &cited));
            }
        }
        Piece::Call(call) => tool_use(reel, call, index),
    }
    reel.quiet(&named(
        &json!({"type": "content_block_stop", "index": index}),
    ));
}

fn tool_use(reel: &mut Reel, call: &Call, index: usize) {
    let empty = json!({"type": "tool_use", "id": format!("toolu_{}", call.id), "name": call.name,
                       "input": {}});
    start(reel, index, &empty);
    let part = |json: &str| json!({"type": "input_json_delta", "partial_json": json});
    // an empty one comes first, and is all there is of a call without arguments
    reel.quiet(&delta(index, &part("")));
    deltas(reel, index, &call.fragments, part);
}

fn start(reel: &mut Reel, index: usize, block: &Value) {
    let data = json!({"type": "content_block_start", "index": index, "content_block": block});
    reel.quiet(&named(&data));
}

fn deltas(reel: &mut Reel, index: usize, fragments: &[String], of: impl Fn(&str) -> Value) {
    for fragment in fragments {
        reel.event(&delta(index, &of(fragment)));
    }
}

fn delta(index: usize, delta: &Value) -> String {
    named(&json!({"type": "content_block_delta", "index": index, "delta": delta}))
}
