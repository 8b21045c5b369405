//! How a client of each dialect asks, and what it understands of the answer.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Answer, App};

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    Chat,
    Responses,
    Messages,
}

/// What a client understood.
#[derive(Debug, Default, PartialEq)]
pub struct Heard {
    pub text: String,
    pub thoughts: String,
    /// id, name, arguments
    pub calls: Vec<(String, String, Value)>,
    pub stop: String,
    /// The answer's content as it is sent back in the next turn: messages or items.
    pub said: Vec<Value>,
    /// Prompt with everything, of it cached, completion, of it thought.
    pub usage: [u64; 4],
}

impl Speaker {
    pub const ALL: [Self; 3] = [Self::Chat, Self::Responses, Self::Messages];

    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
        }
    }

    /// A question in one user's text.
    pub fn asks(self, model: &str, text: &str) -> Value {
        match self {
            Self::Chat => json!({"model": model, "messages": [{"role": "user", "content": text}]}),
            Self::Responses => json!({"model": model, "store": false,
                "include": ["reasoning.encrypted_content"],
                "input": [{"role": "user", "content": text}]}),
            Self::Messages => json!({"model": model, "max_tokens": 4096,
                "messages": [{"role": "user", "content": text}]}),
        }
    }

    /// The list that turns are added to.
    pub fn turns(self, body: &mut Value) -> &mut Vec<Value> {
        let key = match self {
            Self::Responses => "input",
            Self::Chat | Self::Messages => "messages",
        };
        body[key].as_array_mut().expect("a list of turns")
    }

    /// Offers two tools.
    pub fn with_tools(self, mut body: Value) -> Value {
        let schema = |field: &str| json!({"type": "object", "properties": {field: {"type": "string"}}, "required": [field]});
        let tools = [
            ("get_weather", schema("city")),
            ("get_time", schema("zone")),
        ];
        let tools = tools.map(|(name, schema)| match self {
            Self::Chat => json!({"type": "function", "function": {
                "name": name, "description": "d", "parameters": schema}}),
            Self::Responses => json!({"type": "function", "name": name, "description": "d",
                "parameters": schema}),
            Self::Messages => json!({"name": name, "description": "d", "input_schema": schema}),
        });
        body["tools"] = json!(tools);
        body
    }

    /// Asks for thoughts.
    pub fn with_thinking(self, mut body: Value) -> Value {
        match self {
            Self::Chat => body["reasoning_effort"] = json!("low"),
            Self::Responses => body["reasoning"] = json!({"effort": "low", "summary": "auto"}),
            Self::Messages => {
                body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
            }
        }
        body
    }

    /// Adds what the assistant said, and the results of its calls.
    pub fn answers_calls(self, body: &mut Value, heard: &Heard) {
        let results = heard
            .calls
            .iter()
            .map(|(id, name, _)| (id, format!("result of {name}")));
        let results: Vec<_> = results.collect();
        let turns = self.turns(body);
        turns.extend(heard.said.iter().cloned());
        match self {
            Self::Chat => turns.extend(
                results
                    .iter()
                    .map(|(id, text)| json!({"role": "tool", "tool_call_id": id, "content": text})),
            ),
            Self::Responses => turns.extend(results.iter().map(
                |(id, text)| json!({"type": "function_call_output", "call_id": id, "output": text}),
            )),
            Self::Messages => {
                let blocks = results.iter().map(
                    |(id, text)| json!({"type": "tool_result", "tool_use_id": id, "content": text}),
                );
                turns.push(json!({"role": "user", "content": blocks.collect::<Vec<_>>()}));
            }
        }
    }

    /// Sends a body and understands the answer, which must be a success.
    pub async fn hears(self, app: &App, body: &Value) -> Heard {
        let answer = app.post(self.path(), body).await;
        if answer.status != 200 {
            let status = answer.status;
            panic!("{self:?} {body}: {status} {}", answer.text().await);
        }
        if body["stream"] == true {
            self.streamed(answer).await
        } else {
            self.whole(&answer.json().await)
        }
    }

    /// Understands a whole answer.
    pub fn whole(self, answer: &Value) -> Heard {
        match self {
            Self::Chat => chat(answer),
            Self::Responses => response(answer),
            Self::Messages => message(answer),
        }
    }

    /// Puts a stream together as the SDKs do, and understands it.
    pub async fn streamed(self, answer: Answer) -> Heard {
        assert!(
            answer
                .header("content-type")
                .starts_with("text/event-stream")
        );
        let events = answer.events().await;
        match self {
            Self::Chat => chat(&chat_of(&events)),
            Self::Responses => response(&response_of(&events)),
            Self::Messages => message(&message_of(&events)),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn chat(answer: &Value) -> Heard {
    let message = &answer["choices"][0]["message"];
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let calls = calls.map(|call| {
        let arguments = text(&call["function"]["arguments"]);
        let arguments = serde_json::from_str(&arguments).expect("arguments are JSON");
        (
            text(&call["id"]),
            text(&call["function"]["name"]),
            arguments,
        )
    });
    let usage = &answer["usage"];
    Heard {
        text: text(&message["content"]),
        thoughts: text(&message["reasoning_content"]),
        calls: calls.collect(),
        stop: text(&answer["choices"][0]["finish_reason"]),
        said: vec![message.clone()],
        usage: [
            number(&usage["prompt_tokens"]),
            number(&usage["prompt_tokens_details"]["cached_tokens"]),
            number(&usage["completion_tokens"]),
            number(&usage["completion_tokens_details"]["reasoning_tokens"]),
        ],
    }
}

fn response(answer: &Value) -> Heard {
    let mut heard = Heard {
        stop: match answer["incomplete_details"]["reason"].as_str() {
            Some(reason) => reason.to_owned(),
            None => text(&answer["status"]),
        },
        ..Heard::default()
    };
    for item in answer["output"].as_array().expect("output") {
        match item["type"].as_str().expect("a type") {
            "message" => {
                for part in item["content"].as_array().expect("content") {
                    heard.text += &text(&part["text"]);
                }
            }
            "reasoning" => {
                for part in item["summary"].as_array().expect("a summary") {
                    heard.thoughts += &text(&part["text"]);
                }
            }
            "function_call" => {
                let arguments =
                    serde_json::from_str(item["arguments"].as_str().expect("arguments"));
                heard.calls.push((
                    text(&item["call_id"]),
                    text(&item["name"]),
                    arguments.expect("arguments are JSON"),
                ));
            }
            other => panic!("{other}"),
        }
        heard.said.push(item.clone());
    }
    let usage = &answer["usage"];
    heard.usage = [
        number(&usage["input_tokens"]),
        number(&usage["input_tokens_details"]["cached_tokens"]),
        number(&usage["output_tokens"]),
        number(&usage["output_tokens_details"]["reasoning_tokens"]),
    ];
    heard
}

fn message(answer: &Value) -> Heard {
    let mut heard = Heard {
        stop: text(&answer["stop_reason"]),
        ..Heard::default()
    };
    for block in answer["content"].as_array().expect("content") {
        match block["type"].as_str().expect("a type") {
            "text" => heard.text += block["text"].as_str().expect("text"),
            "thinking" => heard.thoughts += block["thinking"].as_str().expect("thinking"),
            "redacted_thinking" => {}
            "tool_use" => heard.calls.push((
                text(&block["id"]),
                text(&block["name"]),
                block["input"].clone(),
            )),
            other => panic!("{other}"),
        }
    }
    heard.said = vec![json!({"role": "assistant", "content": answer["content"]})];
    let usage = &answer["usage"];
    let cached = number(&usage["cache_read_input_tokens"]);
    let written = number(&usage["cache_creation_input_tokens"]);
    heard.usage = [
        number(&usage["input_tokens"]) + cached + written,
        cached,
        number(&usage["output_tokens"]),
        number(&usage["output_tokens_details"]["thinking_tokens"]),
    ];
    heard
}

fn chat_of(events: &[String]) -> Value {
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let (mut content, mut thoughts, mut details) = (String::new(), String::new(), Vec::new());
    let mut calls: BTreeMap<u64, Value> = BTreeMap::new();
    let (mut finish, mut usage) = (Value::Null, Value::Null);
    for (place, event) in events[..events.len() - 1].iter().enumerate() {
        let chunk: Value = serde_json::from_str(event).expect("a chunk");
        assert_eq!(chunk["object"], "chat.completion.chunk", "{chunk}");
        if chunk["usage"].is_object() {
            usage = chunk["usage"].clone();
        }
        let Some(choice) = chunk["choices"].get(0) else {
            continue;
        };
        let delta = &choice["delta"];
        assert_eq!(
            place == 0,
            delta["role"] == "assistant",
            "the role comes first and once"
        );
        assert!(finish.is_null(), "nothing follows the end: {chunk}");
        content += delta["content"].as_str().unwrap_or_default();
        thoughts += delta["reasoning_content"].as_str().unwrap_or_default();
        details.extend(
            delta["reasoning_details"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
        );
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            gather_call(&mut calls, call);
        }
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
    }
    let indexes: Vec<u64> = calls.keys().copied().collect();
    assert_eq!(indexes, (0..calls.len() as u64).collect::<Vec<_>>());
    let mut message =
        json!({"role": "assistant", "content": content, "reasoning_content": thoughts});
    if !details.is_empty() {
        message["reasoning_details"] = json!(details);
    }
    if !calls.is_empty() {
        message["tool_calls"] = calls.into_values().collect();
    }
    json!({"choices": [{"message": message, "finish_reason": finish}], "usage": usage})
}

fn gather_call(calls: &mut BTreeMap<u64, Value>, delta: &Value) {
    let index = delta["index"].as_u64().expect("an index");
    let piece = text(&delta["function"]["arguments"]);
    match calls.get_mut(&index) {
        None => {
            assert!(
                delta["id"].is_string() && delta["function"]["name"].is_string(),
                "{delta}"
            );
            let mut call = delta.clone();
            call.as_object_mut().expect("an object").remove("index");
            calls.insert(index, call);
        }
        Some(call) => {
            assert!(
                delta.get("id").is_none_or(Value::is_null),
                "an id comes once"
            );
            let all = text(&call["function"]["arguments"]) + &piece;
            call["function"]["arguments"] = json!(all);
            if let Some(extra) = delta.get("extra_content") {
                call["extra_content"] = extra.clone();
            }
        }
    }
}

fn response_of(events: &[String]) -> Value {
    let events: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(event).expect("an event"))
        .collect();
    let mut deltas = String::new();
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], place, "{event}");
        if event["type"] == "response.output_text.delta" {
            deltas += event["delta"].as_str().expect("a delta");
        }
    }
    assert_eq!(events[0]["type"], "response.created");
    let last = events.last().expect("a last event");
    let ends = ["response.completed", "response.incomplete"];
    assert!(ends.iter().any(|end| last["type"] == *end), "{last}");
    let whole = last["response"].clone();
    assert_eq!(response(&whole).text, deltas, "the deltas make the text");
    whole
}

fn message_of(events: &[String]) -> Value {
    let (mut message, mut open, mut ended) = (Value::Null, None::<usize>, false);
    let mut inputs: BTreeMap<usize, String> = BTreeMap::new();
    for event in events {
        let event: Value = serde_json::from_str(event).expect("an event");
        assert!(!ended, "nothing follows message_stop");
        let index = event["index"]
            .as_u64()
            .map(|index| usize::try_from(index).expect("small"));
        match event["type"].as_str().expect("a type") {
            "message_start" => {
                assert!(message.is_null(), "one message_start");
                message = event["message"].clone();
            }
            "content_block_start" => {
                assert_eq!(open, None, "blocks do not interleave");
                let blocks = message["content"].as_array_mut().expect("content");
                assert_eq!(index, Some(blocks.len()));
                blocks.push(event["content_block"].clone());
                open = index;
            }
            "content_block_delta" => {
                assert_eq!(open, index);
                let block = &mut message["content"][index.expect("an index")];
                add_delta(
                    block,
                    &event["delta"],
                    inputs.entry(index.unwrap_or(0)).or_default(),
                );
            }
            "content_block_stop" => {
                assert_eq!(open.take(), index);
                let input = inputs.remove(&index.expect("an index")).unwrap_or_default();
                if !input.is_empty() {
                    message["content"][index.unwrap_or(0)]["input"] =
                        serde_json::from_str(&input).expect("an input is JSON");
                }
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                let usage = event["usage"].as_object().expect("usage");
                for (key, value) in usage {
                    message["usage"][key] = value.clone();
                }
            }
            "message_stop" => ended = true,
            "ping" => {}
            other => panic!("{other}"),
        }
    }
    assert!(ended && open.is_none());
    message
}

fn add_delta(block: &mut Value, delta: &Value, input: &mut String) {
    let (key, piece) = match delta["type"].as_str().expect("a type") {
        "text_delta" => ("text", &delta["text"]),
        "thinking_delta" => ("thinking", &delta["thinking"]),
        "signature_delta" => ("signature", &delta["signature"]),
        "input_json_delta" => {
            input.push_str(delta["partial_json"].as_str().expect("a piece"));
            return;
        }
        other => panic!("{other}"),
    };
    block[key] = json!(text(&block[key]) + piece.as_str().expect("a piece"));
}
