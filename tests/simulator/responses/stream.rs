//! An answer as a stream of numbered events.

use serde_json::{Value, json};

use crate::{
    behaviour::Behaviour,
    frames::{Faults, Frames, Reel, named},
    scene::{Call, Piece, Reply},
};

use super::plain::{annotations, arguments, item, item_id, logprobs, part, plain, shell};

/// The whole stream.
pub(super) fn stream(reply: &Reply) -> Frames {
    let mut script = Events {
        reply,
        reel: Reel::default(),
        sequence: 0,
        broken_at: 0,
    };
    script.quiet(json!({"type": "response.created", "response": shell(reply)}));
    script.quiet(json!({"type": "response.in_progress", "response": shell(reply)}));
    script.reel.end_head();
    script.mark();
    for (index, piece) in reply.pieces.iter().enumerate() {
        script.piece(piece, index);
    }
    let response = plain(reply);
    let name = format!(
        "response.{}",
        response["status"].as_str().unwrap_or_default()
    );
    let done = script.numbered(json!({"type": name, "response": response}));
    let faults = script.faults();
    script.reel.end(done, faults)
}

/// The events so far.
struct Events<'a> {
    reply: &'a Reply,
    reel: Reel,
    /// The number of the next event.
    sequence: u64,
    /// The number of the event that the error of the plan, or its huge line, stands in for.
    broken_at: u64,
}

impl Events<'_> {
    fn numbered(&mut self, mut event: Value) -> String {
        event["sequence_number"] = self.sequence.into();
        self.sequence += 1;
        named(&event)
    }

    fn quiet(&mut self, event: Value) {
        let frame = self.numbered(event);
        self.reel.quiet(&frame);
    }

    fn event(&mut self, event: Value) {
        let frame = self.numbered(event);
        self.reel.event(&frame);
        self.mark();
    }

    fn mark(&mut self) {
        let place = match self.reply.behaviour {
            Behaviour::ErrorAfter(after) => u64::from(after),
            _ => 1,
        };
        if self.reel.len() as u64 == place {
            self.broken_at = self.sequence;
        }
    }

    fn faults(&self) -> Faults {
        let number = self.broken_at;
        let error = json!({
            "type": "error", "code": "server_error", "param": null, "sequence_number": number,
            "message": "The server had an error while processing your request. Sorry about that!",
        });
        let open = format!(
            "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\
             \"sequence_number\":{number},\"item_id\":\"msg_sim\",\"output_index\":0,\
             \"content_index\":0,\"logprobs\":[],\"delta\":\""
        );
        Faults {
            error: named(&error).into(),
            broken: "event: response.output_text.delta\ndata: {\"type\":\"response.output_te",
            line: (open, "\"}".to_owned()),
        }
    }

    fn piece(&mut self, piece: &Piece, index: usize) {
        let id = item_id(self.reply, piece, index);
        let finished = item(self.reply, piece, index);
        let mut begun = finished.clone();
        match piece {
            Piece::Thought { .. } | Piece::Redacted(_) => begun["summary"] = json!([]),
            Piece::Text(_) | Piece::Refusal(_) => {
                begun["content"] = json!([]);
                begun["status"] = "in_progress".into();
            }
            Piece::Call(_) => {
                begun["arguments"] = "".into();
                begun["status"] = "in_progress".into();
            }
        }
        self.quiet(
            json!({"type": "response.output_item.added", "output_index": index, "item": begun}),
        );
        match piece {
            Piece::Thought { fragments, .. } => self.summary(fragments, &id, index),
            Piece::Text(fragments) => self.text(piece, fragments, &id, index),
            Piece::Refusal(fragments) => self.refusal(piece, fragments, &id, index),
            Piece::Call(call) => self.call(call, &id, index),
            Piece::Redacted(_) => {}
        }
        self.quiet(
            json!({"type": "response.output_item.done", "output_index": index, "item": finished}),
        );
    }

    fn summary(&mut self, fragments: &[String], id: &str, index: usize) {
        let name = "response.reasoning_summary";
        let event = |kind: &str, key: &str, value: Value| {
            json!({"type": format!("{name}_{kind}"), "item_id": id, "output_index": index,
                   "summary_index": 0, key: value})
        };
        let part = |text: &str| json!({"type": "summary_text", "text": text});
        self.quiet(event("part.added", "part", part("")));
        for fragment in fragments {
            self.event(event("text.delta", "delta", fragment.as_str().into()));
        }
        let text = fragments.concat();
        self.quiet(event("text.done", "text", text.as_str().into()));
        self.quiet(event("part.done", "part", part(&text)));
    }

    fn text(&mut self, piece: &Piece, fragments: &[String], id: &str, index: usize) {
        let empty = json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
        self.quiet(content(id, index, "content_part.added", "part", &empty));
        for fragment in fragments {
            let delta = fragment.as_str().into();
            let mut event = content(id, index, "output_text.delta", "delta", &delta);
            event["logprobs"] = logprobs(self.reply, std::slice::from_ref(fragment)).into();
            self.event(event);
        }
        for (at, annotation) in annotations(self.reply).iter().enumerate() {
            let name = "output_text.annotation.added";
            let mut event = content(id, index, name, "annotation", annotation);
            event["annotation_index"] = at.into();
            self.quiet(event);
        }
        let text = fragments.concat().into();
        let mut event = content(id, index, "output_text.done", "text", &text);
        event["logprobs"] = logprobs(self.reply, fragments).into();
        self.quiet(event);
        self.quiet(content(
            id,
            index,
            "content_part.done",
            "part",
            &part(self.reply, piece),
        ));
    }

    fn refusal(&mut self, piece: &Piece, fragments: &[String], id: &str, index: usize) {
        let empty = json!({"type": "refusal", "refusal": ""});
        self.quiet(content(id, index, "content_part.added", "part", &empty));
        for fragment in fragments {
            let delta = fragment.as_str().into();
            self.event(content(id, index, "refusal.delta", "delta", &delta));
        }
        let text = fragments.concat().into();
        self.quiet(content(id, index, "refusal.done", "refusal", &text));
        self.quiet(content(
            id,
            index,
            "content_part.done",
            "part",
            &part(self.reply, piece),
        ));
    }

    fn call(&mut self, call: &Call, id: &str, index: usize) {
        let event = |kind: &str, key: &str, value: &str| {
            json!({"type": format!("response.function_call_arguments.{kind}"), "item_id": id,
                   "output_index": index, key: value})
        };
        for fragment in &call.fragments {
            self.event(event("delta", "delta", fragment));
        }
        let mut done = event("done", "arguments", &arguments(call));
        done["name"] = call.name.as_str().into();
        self.quiet(done);
    }
}

/// An event about the one part of a message.
fn content(id: &str, index: usize, kind: &str, key: &str, value: &Value) -> Value {
    json!({"type": format!("response.{kind}"), "item_id": id, "output_index": index,
           "content_index": 0, key: value})
}
