//! A client of `/v1/messages`.

use serde_json::{Value, json};

use super::{End, Event, word};

#[derive(Default)]
struct Reader {
    started: bool,
    /// Kind of the open block.
    open: Option<String>,
    next: u64,
    stopping: bool,
}

pub fn check(events: &[Event]) -> End {
    let mut reader = Reader::default();
    for (at, event) in events.iter().enumerate() {
        let (name, value) = event.named();
        if let Some(end) = reader.read(name, value) {
            assert_eq!(at + 1, events.len(), "nothing follows the end");
            return end;
        }
    }
    assert!(!reader.stopping, "a message that stops is complete");
    End::Cut
}

impl Reader {
    fn read(&mut self, name: &str, value: &Value) -> Option<End> {
        if name == "error" {
            word(&value["error"]["type"]);
            return Some(End::Failed);
        }
        assert_eq!(self.started, name != "message_start", "{value}");
        match name {
            "message_start" => self.start(&value["message"]),
            "ping" => {}
            "content_block_start" => self.open(value),
            "content_block_delta" => self.delta(value),
            "content_block_stop" => {
                assert_eq!(value["index"], self.next);
                self.open.take().expect("only an open block stops");
                self.next += 1;
            }
            "message_delta" => {
                assert!(!std::mem::replace(&mut self.stopping, true));
                assert_eq!(self.open, None);
                word(&value["delta"]["stop_reason"]);
                assert!(value["usage"]["output_tokens"].is_u64(), "{value}");
            }
            "message_stop" => {
                assert!(self.stopping);
                return Some(End::Whole);
            }
            _ => panic!("there is no event {name}"),
        }
        None
    }

    fn start(&mut self, message: &Value) {
        self.started = true;
        assert_eq!(message["content"], json!([]));
        assert_eq!(
            (&message["type"], &message["role"]),
            (&json!("message"), &json!("assistant"))
        );
        assert!(message["usage"]["input_tokens"].is_u64(), "{message}");
        assert!(message["model"].is_string(), "{message}");
    }

    fn open(&mut self, value: &Value) {
        assert!(!self.stopping);
        assert_eq!(value["index"], self.next);
        let block = &value["content_block"];
        let kind = word(&block["type"]);
        match kind {
            "text" => assert_eq!(block["text"], ""),
            "thinking" => assert_eq!(block["thinking"], ""),
            "redacted_thinking" => assert!(block["data"].is_string()),
            "tool_use" => {
                word(&block["id"]);
                assert!(block["name"].is_string());
                assert_eq!(block["input"], json!({}));
            }
            _ => panic!("there is no block {kind}"),
        }
        assert_eq!(self.open.replace(kind.to_owned()), None);
    }

    fn delta(&self, value: &Value) {
        assert_eq!(value["index"], self.next);
        let delta = &value["delta"];
        let kind = self.open.as_deref().expect("only an open block grows");
        let text = match (kind, word(&delta["type"])) {
            ("text", "text_delta") => &delta["text"],
            ("thinking", "thinking_delta") => &delta["thinking"],
            ("thinking", "signature_delta") => &delta["signature"],
            ("tool_use", "input_json_delta") => &delta["partial_json"],
            (kind, delta) => panic!("a {delta} in a block of {kind}"),
        };
        assert!(text.is_string(), "{value}");
    }
}
