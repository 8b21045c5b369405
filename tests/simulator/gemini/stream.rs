//! An answer as a stream of chunks, each an answer of its own.

use serde_json::{Value, json};

use crate::{
    frames::{Faults, Frames, Reel},
    scene::{Finish, Piece, Reply, Usage},
};

use super::{
    plain::{blocked, candidate, envelope, function_call, signed, thought, usage},
    voice::stream_error,
};

/// The whole stream. Calls come whole; the last chunk has the reason of the end, and the signature where there is one.
pub(super) fn stream(reply: &Reply) -> Frames {
    let mut reel = Reel::default();
    for piece in &reply.pieces {
        match piece {
            Piece::Thought { fragments, .. } => {
                fragments
                    .iter()
                    .for_each(|text| chunk(&mut reel, reply, &thought(text)));
            }
            Piece::Text(fragments) if reply.finish != Finish::Filter => {
                let text = |text: &String| json!({"text": text});
                fragments
                    .iter()
                    .for_each(|fragment| chunk(&mut reel, reply, &text(fragment)));
            }
            Piece::Call(call) => chunk(&mut reel, reply, &function_call(reply, call)),
            Piece::Text(_) | Piece::Redacted(_) | Piece::Refusal(_) => {}
        }
    }
    let mut last = envelope(reply, &usage(&reply.usage));
    match reply.finish {
        Finish::Filter => last["promptFeedback"] = blocked(),
        _ => {
            let parts = signed(reply, vec![json!({"text": ""})]);
            last["candidates"] = json!([candidate(reply, parts)]);
        }
    }
    reel.end(frame(&last), faults())
}

fn faults() -> Faults {
    Faults {
        error: frame(&stream_error()).into(),
        broken: "data: {\"candidates\": [{\"content\": {\"parts\": [{\"te",
        line: (
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"".to_owned(),
            "\"}],\"role\":\"model\"},\"index\":0}]}".to_owned(),
        ),
    }
}

fn chunk(reel: &mut Reel, reply: &Reply, part: &Value) {
    // a chunk's usage counts what was sent so far
    let so_far = Usage {
        output: reel.len() as u64 + 1,
        reasoning: 0,
        ..reply.usage
    };
    let mut data = envelope(reply, &usage(&so_far));
    data["candidates"] = json!([{"content": {"parts": [part], "role": "model"}, "index": 0}]);
    reel.event(&frame(&data));
}

/// This service ends its lines with both characters.
fn frame(data: &Value) -> String {
    format!("data: {data}\r\n\r\n")
}
