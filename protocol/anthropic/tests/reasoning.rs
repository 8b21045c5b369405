//! How thinking is asked for.

use serde_json::{Value, json};

use super::{ENCODING, encode_for, from_chat, message, part};
use crate::{
    chat::{
        ChatRequest, Effort, Encoding, Part, PartBody, Reasoning, Role, Seal, Thinking, Tool,
        ToolCall, ToolChoice, ToolResult,
    },
    dialect::Dialect,
};

const OLD: &str = "claude-sonnet-4-5";
const NEW: &str = "claude-opus-4-8";

fn asks(reasoning: Reasoning) -> ChatRequest {
    let mut request = from_chat();
    request.reasoning = Some(reasoning);
    request
}

fn effort(effort: Effort) -> Reasoning {
    Reasoning {
        effort: Some(effort),
        ..Reasoning::default()
    }
}

fn budget(budget: u64) -> Reasoning {
    Reasoning {
        budget: Some(budget),
        ..Reasoning::default()
    }
}

fn for_model(request: &ChatRequest, model: &str) -> (Value, String) {
    let encoding = Encoding { model, ..ENCODING };
    let (body, encoded) = encode_for(request, encoding).unwrap();
    (body, encoded.losses.to_string())
}

#[test]
fn each_generation_is_asked_in_its_way() {
    let enabled = |budget: u64| json!({"type": "enabled", "budget_tokens": budget});
    let adaptive = json!({"type": "adaptive", "display": "summarized"});
    let off = |word: &str| json!({"type": word});
    let adapt = || Reasoning {
        adaptive: true,
        effort: Some(Effort::XHigh),
        ..Reasoning::default()
    };
    #[rustfmt::skip]
    let cases = [
        (OLD, effort(Effort::Low), enabled(1_024), Value::Null, ""),
        (OLD, effort(Effort::High), enabled(24_576), Value::Null, ""),
        (OLD, budget(500), enabled(1_024), Value::Null, ""),
        (OLD, effort(Effort::None), Value::Null, Value::Null, ""),
        (OLD, adapt(), enabled(24_576), Value::Null, ""),
        (OLD, Reasoning { summary: Some("auto".to_owned()), ..Reasoning::default() }, enabled(8_192), Value::Null, ""),
        ("kimi-k2", effort(Effort::Medium), enabled(8_192), Value::Null, ""),
        ("claude-sonnet-4-6", effort(Effort::XHigh), adaptive.clone(), json!("high"), ""),
        ("claude-sonnet-4-6", budget(2_000), enabled(2_000), Value::Null, ""),
        (NEW, effort(Effort::XHigh), adaptive.clone(), json!("xhigh"), ""),
        (NEW, effort(Effort::Minimal), adaptive.clone(), json!("low"), ""),
        (NEW, budget(2_000), adaptive.clone(), json!("low"), ""),
        (NEW, adapt(), adaptive, json!("xhigh"), ""),
        (NEW, effort(Effort::None), Value::Null, Value::Null, ""),
        ("claude-opus-5", effort(Effort::None), off("disabled"), Value::Null, ""),
        ("claude-sonnet-5-5", effort(Effort::None), off("between_tools"), Value::Null, ""),
        ("claude-opus-5-5", effort(Effort::None), Value::Null, json!("low"), "reasoning_effort"),
    ];
    for (model, reasoning, thinking, effort, losses) in cases {
        let about = format!("{model} {reasoning:?}");
        let (body, lost) = for_model(&asks(reasoning), model);
        assert_eq!(body["thinking"], thinking, "{about}");
        assert_eq!(body["output_config"]["effort"], effort, "{about}");
        assert_eq!(lost, losses, "{about}");
    }
}

#[test]
fn an_anthropic_clients_own_words_come_back() {
    let mut request = asks(Reasoning {
        effort: Some(Effort::Medium),
        ..budget(2_000)
    });
    request.dialect = Dialect::Anthropic;
    let (body, _) = for_model(&request, OLD);
    assert_eq!(body["thinking"]["budget_tokens"], 2_000);
    assert_eq!(body["output_config"], json!({"effort": "medium"}));
    request.reasoning = Some(effort(Effort::Low));
    for model in [OLD, NEW] {
        let (body, _) = for_model(&request, model);
        assert!(body.get("thinking").is_none());
        assert_eq!(body["output_config"], json!({"effort": "low"}));
    }
}

#[test]
fn thoughts_are_part_of_max_tokens_or_come_on_top() {
    let mut request = asks(effort(Effort::High));
    #[rustfmt::skip]
    let cases = [
        (None, json!(24_576), 4_096 + 24_576, ""),
        (Some(50_000), json!(24_576), 50_000, ""),
        (Some(4_000), json!(3_999), 4_000, ""),
        (Some(1_025), json!(1_024), 1_025, ""),
        (Some(1_024), Value::Null, 1_024, "reasoning_effort"),
    ];
    for (given, budget, max_tokens, losses) in cases {
        request.sampling.max_tokens = given;
        let (body, lost) = for_model(&request, OLD);
        assert_eq!(body["thinking"]["budget_tokens"], budget, "{given:?}");
        assert_eq!(body["max_tokens"], max_tokens, "{given:?}");
        assert_eq!(lost, losses, "{given:?}");
    }
}

#[test]
fn a_forced_tool_excludes_a_budget_only() {
    let mut request = asks(effort(Effort::High));
    request.dialect = Dialect::OpenaiResponses;
    request.tools = vec![Tool::Function {
        name: "f".to_owned(),
        description: None,
        schema: None,
        strict: None,
        cache: None,
    }];
    request.tool_choice = Some(ToolChoice::Required);
    let (body, losses) = for_model(&request, OLD);
    assert!(body.get("thinking").is_none());
    assert_eq!(losses, "reasoning");
    let (body, losses) = for_model(&request, NEW);
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!(losses, "");
}

/// The user asks, the assistant calls, the result is there.
fn under_way(thoughts: Option<Seal>) -> ChatRequest {
    let mut request = asks(effort(Effort::High));
    let call = PartBody::Call(ToolCall {
        id: "a".to_owned(),
        name: "f".to_owned(),
        input: String::new(),
        custom: false,
        seal: None,
    });
    let thinking = PartBody::Thinking(Thinking {
        text: "hm".to_owned(),
        seal: thoughts,
    });
    let result = PartBody::Result(ToolResult {
        call_id: "a".to_owned(),
        name: None,
        parts: vec![],
        is_error: false,
    });
    request.messages.extend([
        message(Role::Assistant, vec![part(thinking), part(call.clone())]),
        message(Role::User, vec![part(result.clone())]),
        // a second step, before which the model did not think again
        message(Role::Assistant, vec![part(call)]),
        message(Role::User, vec![part(result)]),
    ]);
    request
}

#[test]
fn a_turn_that_began_without_thoughts_goes_on_without() {
    let own = Seal::new(Dialect::Anthropic, "sig");
    let mut request = under_way(Some(own.clone()));
    assert!(for_model(&request, OLD).0.get("thinking").is_some());
    let without = Encoding {
        keep_thinking: false,
        ..ENCODING
    };
    let (body, encoded) = encode_for(&request, without).unwrap();
    assert!(body.get("thinking").is_none());
    assert!(encoded.losses.is_empty());
    for seal in [None, Some(Seal::new(Dialect::Gemini, "g"))] {
        let request = under_way(seal);
        assert!(for_model(&request, OLD).0.get("thinking").is_none());
        assert!(for_model(&request, NEW).0.get("thinking").is_some());
    }
    // the user's next words begin a new turn
    request = under_way(None);
    let next = [
        message(Role::Assistant, vec![Part::text("done")]),
        message(Role::User, vec![Part::text("thanks")]),
    ];
    request.messages.extend(next);
    assert!(for_model(&request, OLD).0.get("thinking").is_some());
}

#[test]
fn sampling_goes_as_far_as_the_model_and_its_thoughts_allow() {
    type Sampling = (Option<f64>, Option<f64>, Option<u64>);
    #[rustfmt::skip]
    let cases: [(&str, bool, Sampling, Value, &str); 10] = [
        ("kimi-k2", false, (Some(0.5), Some(0.9), Some(5)), json!([0.5, 0.9, 5]), ""),
        ("kimi-k2", false, (Some(1.5), None, None), json!([null, null, null]), ""),
        (OLD, false, (Some(0.5), Some(0.9), None), json!([0.5, null, null]), "top_p"),
        (OLD, false, (Some(0.5), Some(1.0), None), json!([0.5, null, null]), ""),
        (OLD, false, (Some(1.0), Some(0.9), None), json!([null, 0.9, null]), ""),
        (OLD, true, (Some(0.5), Some(0.9), Some(5)), json!([null, null, null]), "temperature, top_p, top_k"),
        (OLD, true, (Some(1.0), Some(0.95), None), json!([null, 0.95, null]), ""),
        (NEW, false, (Some(0.5), Some(0.95), Some(5)), json!([null, null, null]), "temperature, top_p, top_k"),
        (NEW, true, (Some(1.0), Some(1.0), None), json!([null, null, null]), ""),
        (NEW, false, (None, None, None), json!([null, null, null]), ""),
    ];
    for (model, thinks, (temperature, top_p, top_k), expected, losses) in cases {
        let mut request = from_chat();
        request.reasoning = thinks.then(|| effort(Effort::Low));
        request.sampling.temperature = temperature;
        request.sampling.top_p = top_p;
        request.sampling.top_k = top_k;
        let (body, lost) = for_model(&request, model);
        let written = json!([body["temperature"], body["top_p"], body["top_k"]]);
        assert_eq!(
            written, expected,
            "{model} {thinks} {temperature:?} {top_p:?}"
        );
        assert_eq!(lost, losses, "{model} {thinks} {temperature:?} {top_p:?}");
    }
}
