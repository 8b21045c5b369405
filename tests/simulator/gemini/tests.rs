//! The dialect over real sockets.

use serde_json::{Value, json};

use crate::{
    fingerprint, long_text,
    trial::{Heard, Trial, joined, with},
};

fn trial() -> Trial {
    Trial::new(&[("x-goog-api-key", "sk-a")])
}

fn ask(prompt: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": prompt}]}]})
}

fn tools() -> Value {
    let schema = json!({"type": "OBJECT", "properties": {"city": {"type": "STRING"}}});
    json!([{"functionDeclarations": [{"name": "weather", "parameters": schema}, {"name": "clock"}]}])
}

async fn post(trial: &Trial, model: &str, body: &Value) -> Heard {
    trial
        .post(&format!("/v1beta/models/{model}:generateContent"), body)
        .await
}

async fn say(trial: &Trial, model: &str, body: &Value) -> Value {
    let heard = post(trial, model, body).await;
    assert_eq!(heard.status, 200, "{}", heard.text);
    heard.json()
}

async fn stream(trial: &Trial, model: &str, body: &Value) -> Heard {
    let path = format!("/v1beta/models/{model}:streamGenerateContent?alt=sse");
    trial.post(&path, body).await
}

fn parts(answer: &Value) -> Vec<Value> {
    answer["candidates"][0]["content"]["parts"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// The parts of a stream's chunks, texts of one kind joined, as the SDKs put them together.
fn assembled(heard: &Heard) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for part in heard.events().iter().flat_map(parts) {
        let same = |last: &Value| last.get("text").is_some() && last["thought"] == part["thought"];
        match (
            all.last_mut().filter(|last| same(last)),
            part["text"].as_str(),
        ) {
            (Some(last), Some(text)) => {
                let text = format!("{}{text}", last["text"].as_str().unwrap());
                *last = with(part, &json!({"text": text}));
            }
            (_, Some("")) => {}
            _ => all.push(part),
        }
    }
    all
}

#[actix_rt::test]
async fn streams_and_plain_answers_hold_the_same() {
    let trial = trial();
    let body = with(ask("seed:7"), &json!({"tools": tools()}));
    for (model, reason) in [
        ("gemini-x", "STOP"),
        ("sim-tools", "STOP"),
        ("sim-text-tools+call-ids", "STOP"),
        ("sim-noargs-tool", "STOP"),
        ("sim-think-tools", "STOP"),
        ("sim-think+cached", "STOP"),
        ("sim-length", "MAX_TOKENS"),
        ("sim-refuse", "SAFETY"),
    ] {
        let plain = say(&trial, model, &body).await;
        let heard = stream(&trial, model, &body).await;
        assert!(heard.text.ends_with("}\r\n\r\n"));
        assert_eq!(assembled(&heard), parts(&plain), "{model}");
        let events = heard.events();
        let (last, others) = events.split_last().unwrap();
        for answer in [&plain, last] {
            assert_eq!(answer["candidates"][0]["finishReason"], reason, "{model}");
        }
        assert!(
            others
                .iter()
                .all(|event| event["candidates"][0]["finishReason"].is_null())
        );
        assert_eq!(last["usageMetadata"], plain["usageMetadata"]);
        assert_eq!(last["modelVersion"], model);
    }
    let blocked = say(&trial, "sim-filter", &body).await;
    assert_eq!(blocked["promptFeedback"]["blockReason"], "SAFETY");
    assert!(blocked.get("candidates").is_none());
    let path = "/v1beta/models/sim-stream-2:streamGenerateContent";
    let array = trial.post(path, &body).await.json();
    assert_eq!(array.as_array().unwrap().len(), 3);
}

#[actix_rt::test]
async fn counts_and_usage_are_in_their_places() {
    let trial = trial();
    let usage = say(&trial, "sim-cached+long-5", &ask("x")).await["usageMetadata"].clone();
    assert_eq!(usage["promptTokenCount"], 11 + 1024 + 256);
    assert_eq!(usage["cachedContentTokenCount"], 1024);
    assert_eq!(
        (&usage["candidatesTokenCount"], &usage["thoughtsTokenCount"]),
        (&json!(5), &json!(32))
    );
    let path = "/v1beta/models/gemini-x:countTokens";
    assert_eq!(trial.post(path, &ask("x")).await.json()["totalTokens"], 11);
    let wrapped = json!({"generateContentRequest": ask("x")});
    assert_eq!(trial.post(path, &wrapped).await.json()["totalTokens"], 11);
    assert_eq!(trial.sim.script().stats().path(path), 2);
    assert_eq!(
        trial.sim.script().last_request(path).unwrap().json(),
        wrapped
    );
}

#[actix_rt::test]
async fn calls_are_made_and_their_results_quoted() {
    let trial = trial();
    let body = with(ask("Paris?"), &json!({"tools": tools()}));
    let model = "sim-think-tools+call-ids";
    let made = parts(&say(&trial, model, &body).await);
    assert_eq!(made[0]["thought"], true);
    assert_eq!(made[1]["functionCall"]["args"], json!({"city": "value-1"}));
    assert!(made[1]["thoughtSignature"].is_string() && made[2].get("thoughtSignature").is_none());
    let id = made[2]["functionCall"]["id"].as_str().unwrap();
    let responses = json!([
        {"functionResponse": {"name": "weather", "response": {"result": "rain"}}},
        {"functionResponse": {"name": "clock", "id": id, "response": {"error": "broken"}}},
    ]);
    let turns = |calls: &[Value]| {
        json!({"contents": [body["contents"][0], {"role": "model", "parts": calls},
                            {"role": "user", "parts": responses}]})
    };
    let next = with(body.clone(), &turns(&made));
    let text = parts(&say(&trial, model, &next).await)[1]["text"].clone();
    assert_eq!(
        text,
        format!("weather said: {{\"result\":\"rain\"}}\n{id} failed: {{\"error\":\"broken\"}}")
    );
    let stranger = Trial::new(&[("x-goog-api-key", "sk-b")]);
    let heard = post(&stranger, model, &next).await;
    assert_eq!(
        (heard.status, heard.complaint().as_str()),
        (400, "Corrupted thought signature.")
    );
    let mut bare = made[1..].to_vec();
    bare[0].as_object_mut().unwrap().remove("thoughtSignature");
    let heard = post(&trial, model, &with(body.clone(), &turns(&bare))).await;
    assert!(
        heard
            .complaint()
            .contains("missing a thought_signature in functionCall parts")
    );
    // who comes from another provider says so, and a model that does not think has no need
    bare[0]["thoughtSignature"] = "skip_thought_signature_validator".into();
    say(&trial, model, &with(body.clone(), &turns(&bare))).await;
    bare[0].as_object_mut().unwrap().remove("thoughtSignature");
    say(&trial, "gemini-x", &with(body.clone(), &turns(&bare))).await;
    for (config, count) in [
        (json!({"mode": "NONE"}), 0),
        (
            json!({"mode": "ANY", "allowed_function_names": ["clock"]}),
            2,
        ),
    ] {
        let asked = with(
            body.clone(),
            &json!({"toolConfig": {"functionCallingConfig": config}}),
        );
        let made = parts(&say(&trial, "sim-tools", &asked).await);
        let calls: Vec<_> = made
            .iter()
            .filter(|part| part["functionCall"].is_object())
            .collect();
        assert_eq!(calls.len(), count);
        assert!(
            calls
                .iter()
                .all(|call| call["functionCall"]["name"] == "clock")
        );
    }
}

#[actix_rt::test]
async fn shows_what_arrived() {
    let trial = trial();
    let body = json!({"contents": [{"parts": [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"file_data": {"mime_type": "application/pdf", "file_uri": "https://a/b.pdf"}}]}]});
    let text =
        async |model: &str, body: &Value| parts(&say(&trial, model, body).await)[0]["text"].clone();
    let print = fingerprint(b"hi");
    assert_eq!(
        text("sim-image-echo", &body).await,
        format!("image/png 2 bytes {print}\nurl https://a/b.pdf")
    );
    let config = json!({"generationConfig": {"topK": 4, "responseSchema": {"type": "INTEGER"}}});
    let body = with(ask("x"), &config);
    assert_eq!(text("sim-params", &body).await, config.to_string());
    assert_eq!(text("sim-json", &body).await, "1");
    let events = stream(&trial, "sim-long-100", &ask("one")).await.events();
    assert_eq!(
        joined(&events, "/candidates/0/content/parts/0/text"),
        long_text("one", 100)
    );
}

#[actix_rt::test]
async fn objects_in_the_words_of_the_real_service() {
    let trial = trial();
    let by = |role: &str, part: Value| json!({"role": role, "parts": [part]});
    let user = by("user", json!({"text": "x"}));
    let call = by("model", json!({"functionCall": {"name": "f", "args": {}}}));
    let response = by(
        "user",
        json!({"functionResponse": {"name": "f", "response": {}}}),
    );
    for (members, words) in [
        (
            json!({"messages": []}),
            "Unknown name \"messages\": Cannot find field.",
        ),
        (
            json!({"generationConfig": {"max_tokens": 1}}),
            "Unknown name \"max_tokens\" at 'generation_config'",
        ),
        (
            json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters":
            {"type": "object", "additionalProperties": false}}]}]}),
            "Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters'",
        ),
        (
            json!({"tools": [{"functionDeclarations": [{"name": "1f"}]}]}),
            "Invalid function name",
        ),
        (json!({"contents": []}), "contents is not specified"),
        (
            json!({"contents": [by("assistant", json!({"text": "x"}))]}),
            "valid role: user, model",
        ),
        (
            json!({"contents": [{"role": "user", "parts": []}]}),
            "parts must not be empty",
        ),
        (
            json!({"contents": [user, call, user]}),
            "number of function response parts is equal",
        ),
        (
            json!({"contents": [user, call]}),
            "number of function response parts is equal",
        ),
        (
            json!({"contents": [user, response]}),
            "immediately after a function call turn",
        ),
        (
            json!({"contents": [call, response]}),
            "function call turn comes immediately after a user turn",
        ),
        (
            json!({"contents": [user, by("user", json!({"functionResponse": {"name": "f", "response": "x"}}))]}),
            "Invalid value at 'contents[1].parts[0].function_response.response'",
        ),
        (
            json!({"contents": [by("model", json!({"text": "x", "thoughtSignature": "?"}))]}),
            "Base64 decoding failed",
        ),
    ] {
        let heard = post(&trial, "gemini-x", &with(ask("x"), &members)).await;
        assert_eq!(heard.status, 400, "{members}");
        assert!(
            heard.complaint().contains(words),
            "{members}: {}",
            heard.complaint()
        );
        assert_eq!(heard.json()["error"]["status"], "INVALID_ARGUMENT");
    }
}

#[actix_rt::test]
async fn refuses_and_misbehaves_in_its_own_shape() {
    let trial = trial();
    for (model, status, name) in [
        ("sim-status-401", 401, "UNAUTHENTICATED"),
        ("sim-bad-key", 400, "INVALID_ARGUMENT"),
        ("sim-status-403", 403, "PERMISSION_DENIED"),
        ("sim-missing", 404, "NOT_FOUND"),
        ("sim-quota", 429, "RESOURCE_EXHAUSTED"),
        ("sim-status-500", 500, "INTERNAL"),
        ("sim-status-503", 503, "UNAVAILABLE"),
    ] {
        let heard = post(&trial, model, &ask("x")).await;
        assert_eq!(
            (heard.status, &heard.json()["error"]["status"]),
            (status, &json!(name)),
            "{model}"
        );
    }
    let heard = post(&trial, "sim-status-429-after-7", &ask("x")).await;
    assert_eq!(heard.json()["error"]["details"][1]["retryDelay"], "7s");
    assert!(heard.headers.get("retry-after").is_none());
    let heard = Trial::new(&[])
        .post("/v1beta/models/m:generateContent", &ask("x"))
        .await;
    assert_eq!(heard.status, 403);
    let events = stream(&trial, "sim-error-after-1", &ask("seed:7"))
        .await
        .events();
    assert_eq!(events.last().unwrap()["error"]["status"], "UNAVAILABLE");
    let heard = stream(&trial, "sim-no-done", &ask("x")).await;
    assert!(!heard.text.contains("finishReason"));
    assert!(
        stream(&trial, "sim-cr", &ask("x"))
            .await
            .text
            .ends_with("}\r\r")
    );
}

#[actix_rt::test]
async fn lists_models_page_by_page() {
    let trial = trial();
    trial.sim.script().models(["a", "b", "c"]);
    let page = trial.get("/v1beta/models?pageSize=2").await.json();
    assert_eq!(
        (&page["models"][1]["name"], &page["nextPageToken"]),
        (&json!("models/b"), &json!("2"))
    );
    let page = trial
        .get("/v1beta/models?pageSize=2&pageToken=2")
        .await
        .json();
    assert_eq!(
        (
            page["models"].as_array().unwrap().len(),
            page.get("nextPageToken")
        ),
        (1, None)
    );
    assert_eq!(
        trial.get("/v1beta/models/c").await.json()["displayName"],
        "c"
    );
    assert_eq!(trial.get("/v1beta/models/d").await.status, 404);
}
