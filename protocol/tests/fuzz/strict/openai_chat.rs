//! A client of `/v1/chat/completions`.

use serde_json::{Value, json};

use super::{Data, End, Event, word};

#[derive(Default)]
struct Reader {
    id: Option<String>,
    /// Those begun.
    calls: usize,
    finished: bool,
    has_usage: bool,
}

pub fn check(events: &[Event]) -> End {
    let mut reader = Reader::default();
    for (at, event) in events.iter().enumerate() {
        let last = at + 1 == events.len();
        match &event.data {
            Data::Done => {
                assert!(last, "nothing follows [DONE]");
                // an error, too, is followed by it
                return if reader.finished {
                    End::Whole
                } else {
                    End::Failed
                };
            }
            Data::Json(value) if value.get("error").is_some() => {
                word(&value["error"]["message"]);
                let done = matches!(
                    events.get(at + 1).map(|event| &event.data),
                    Some(Data::Done)
                );
                assert!(
                    last || done && at + 2 == events.len(),
                    "nothing follows an error"
                );
                return End::Failed;
            }
            Data::Json(chunk) => reader.chunk(chunk),
        }
    }
    End::Cut
}

impl Reader {
    fn chunk(&mut self, chunk: &Value) {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert!(
            chunk["created"].is_u64() && chunk["model"].is_string(),
            "{chunk}"
        );
        let id = word(&chunk["id"]);
        let first = self.id.is_none();
        assert_eq!(self.id.get_or_insert_with(|| id.to_owned()), id);
        let choices = chunk["choices"].as_array().expect("a list of choices");
        match choices.as_slice() {
            [] => {
                assert!(self.finished && !self.has_usage, "{chunk}");
                assert!(chunk["usage"]["total_tokens"].is_u64(), "{chunk}");
                self.has_usage = true;
            }
            [choice] => {
                assert!(!self.finished, "{chunk} after the end");
                assert_eq!(choice["delta"].get("role").is_some(), first, "{chunk}");
                self.choice(choice);
            }
            _ => panic!("one choice was asked for: {chunk}"),
        }
    }

    fn choice(&mut self, choice: &Value) {
        assert_eq!(choice["index"], 0);
        let delta = choice["delta"].as_object().expect("a delta");
        for (name, value) in delta {
            match name.as_str() {
                "role" => assert_eq!(value, "assistant"),
                "content" | "refusal" | "reasoning_content" => assert!(value.is_string()),
                "reasoning_details" => assert!(value.is_array()),
                "tool_calls" => self.calls(value),
                _ => panic!("a delta has no field {name}"),
            }
        }
        if !choice["finish_reason"].is_null() {
            let reason = word(&choice["finish_reason"]);
            assert!(reason != "tool_calls" || self.calls > 0);
            self.finished = true;
        }
    }

    fn calls(&mut self, calls: &Value) {
        for call in calls.as_array().unwrap() {
            let index = call["index"].as_u64().unwrap() as usize;
            let begins = call.get("id").is_some();
            if begins {
                word(&call["id"]);
                self.calls += 1;
            }
            assert_eq!(
                index + 1,
                self.calls,
                "calls come one after the other: {call}"
            );
            let kind = match call.get("custom") {
                Some(_) => "custom",
                None => "function",
            };
            assert_eq!(call[kind].get("name").is_some(), begins, "{call}");
            assert_eq!(
                call.get("type"),
                begins.then(|| json!(kind)).as_ref(),
                "{call}"
            );
        }
    }
}
