//! A client of `/v1/responses`.

use serde_json::{Value, json};

use super::{End, Event, word};

#[derive(Default)]
struct Reader {
    /// Items that are done.
    items: Vec<Value>,
    /// The open item.
    open: Option<Value>,
    /// The open part's deltas, put together.
    text: String,
}

pub fn check(events: &[Event]) -> End {
    let mut reader = Reader::default();
    for (at, event) in events.iter().enumerate() {
        let (name, value) = event.named();
        assert_eq!(value["sequence_number"], at);
        match at {
            0 => assert_eq!(
                name,
                if events.len() > 2 {
                    "response.created"
                } else {
                    name
                }
            ),
            _ => assert_ne!(name, "response.created"),
        }
        let rest = &events[at + 1..];
        match name {
            "response.created" | "response.in_progress" => {
                assert_eq!(value["response"]["status"], "in_progress");
            }
            "response.completed" | "response.incomplete" => {
                assert!(rest.is_empty(), "nothing follows the end");
                reader.end(name, &value["response"]);
                return End::Whole;
            }
            "response.failed" => {
                assert_eq!(value["response"]["status"], "failed");
                let [error] = rest else {
                    panic!("an error event is last")
                };
                assert_eq!(error.named().0, "error");
            }
            "error" => return End::Failed,
            _ => reader.read(name, value),
        }
    }
    End::Cut
}

impl Reader {
    fn end(&self, name: &str, response: &Value) {
        assert_eq!(self.open, None);
        assert_eq!(response["output"], json!(self.items));
        assert_eq!(format!("response.{}", word(&response["status"])), name);
        assert_eq!(
            name == "response.incomplete",
            !response["incomplete_details"].is_null()
        );
    }

    fn read(&mut self, name: &str, value: &Value) {
        assert_eq!(value["output_index"], self.items.len(), "{value}");
        match name {
            "response.output_item.added" => {
                word(&value["item"]["id"]);
                assert_eq!(self.open.replace(value["item"].clone()), None);
                self.text.clear();
            }
            "response.output_item.done" => {
                let item = self.open.take().expect("only an open item is done");
                for field in ["id", "type", "call_id", "name"] {
                    assert_eq!(item.get(field), value["item"].get(field), "{value}");
                }
                self.items.push(value["item"].clone());
            }
            _ => self.within(name, value),
        }
    }

    fn within(&mut self, name: &str, value: &Value) {
        let item = self.open.as_ref().expect("an item is open");
        assert_eq!(value["item_id"], item["id"], "{value}");
        let what = name.strip_prefix("response.").expect("a known name");
        let (part, step) = what.rsplit_once('.').expect("two words");
        let fits = match part {
            "content_part" | "output_text" | "refusal" => item["type"] == "message",
            "function_call_arguments" => item["type"] == "function_call",
            "custom_tool_call_input" => item["type"] == "custom_tool_call",
            _ => part.starts_with("reasoning") && item["type"] == "reasoning",
        };
        assert!(fits, "{name} in {item}");
        let is_part = part.ends_with("_part");
        match step {
            "added" => self.text.clear(),
            "delta" => self.text.push_str(value["delta"].as_str().unwrap()),
            "done" if is_part => {}
            "done" => {
                let told = ["text", "refusal", "arguments", "input"].map(|field| &value[field]);
                let told = told.into_iter().find(|told| told.is_string()).unwrap();
                assert_eq!(told, self.text.as_str(), "{value}");
            }
            _ => panic!("there is no event {name}"),
        }
    }
}
