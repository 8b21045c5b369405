//! The acting: from what is asked and what the model's name wants to what is answered.

use serde_json::{Value, json};

use crate::{plan::Plan, request};

use super::{
    Ask, Calls, Choice, Ending, Speech, Thinking, Tool,
    fill::Filler,
    fingerprint,
    reply::{Call, Finish, Piece, Reply, Usage},
    sign,
    words::{fragments, long_words, word},
};

/// What `sim-json` fits where the request names no schema.
const NO_FORM: &str = r#"{"type":"object","properties":{"answer":{"type":"string"}}}"#;

/// Characters in a fragment of text.
const FRAGMENT: usize = 16;

/// Makes the answer to `ask` that the plan wants; `token` signs its reasoning.
pub(crate) fn act(ask: &Ask, plan: &Plan, token: &str, model: &str) -> Reply {
    let scene = plan.scene;
    let thought = scene.thinking.map(|thinking| think(ask, thinking, token));
    let signature = thought.as_ref().map(|_| sign(token, &ask.prompt));
    let finish = finish(ask, scene.ending);
    let calls = match scene.calls {
        Some(wanted) if ask.outcomes.is_empty() => make_calls(ask, &wanted, signature),
        _ => Vec::new(),
    };
    let mut pieces = Vec::from_iter(thought);
    let finish = match finish {
        Finish::Refusal => {
            let text = "I'm sorry, but I can't help with that.";
            pieces.push(Piece::Refusal(fragments(text, FRAGMENT)));
            finish
        }
        _ if calls.is_empty() => {
            pieces.push(Piece::Text(speech(ask, plan)));
            finish
        }
        _ => {
            if scene.calls.is_some_and(|calls| calls.after_text) {
                pieces.push(Piece::Text(fragments("Let me look that up.", FRAGMENT)));
            }
            pieces.extend(calls.into_iter().map(Piece::Call));
            if finish == Finish::Stop {
                Finish::Calls
            } else {
                finish
            }
        }
    };
    Reply {
        id: fingerprint(format!("{} {}", ask.turns, ask.prompt).as_bytes()),
        model: model.to_owned(),
        scene,
        behaviour: plan.behaviour.clone(),
        usage: Usage::of(&pieces, &scene),
        pieces,
        finish,
        include_usage: false,
    }
}

fn finish(ask: &Ask, ending: Ending) -> Finish {
    match ending {
        Ending::Natural => Finish::Stop,
        Ending::Refusal => Finish::Refusal,
        Ending::Filter => Finish::Filter,
        Ending::Length => Finish::Length,
        // a request without stop sequences cannot hit one
        Ending::StopSequence => ask.stop.clone().map_or(Finish::Stop, Finish::StopSequence),
    }
}

fn think(ask: &Ask, thinking: Thinking, token: &str) -> Piece {
    let text = format!("The user wants an answer to: {}", ask.prompt);
    match thinking {
        Thinking::Open => Piece::Thought {
            signature: sign(token, &text),
            fragments: fragments(&text, FRAGMENT),
        },
        Thinking::Redacted => Piece::Redacted(sign(token, &text)),
    }
}

/// The calls; the first one carries the signature of the thought before it.
fn make_calls(ask: &Ask, wanted: &Calls, signature: Option<String>) -> Vec<Call> {
    let tools: Vec<&Tool> = match &ask.choice {
        Choice::Never => return Vec::new(),
        Choice::Only(name) => ask.tools.iter().filter(|tool| tool.name == *name).collect(),
        Choice::Free => ask.tools.iter().collect(),
    };
    let count = if ask.one_call { 1 } else { wanted.count };
    let mut filler = Filler::default();
    // a request with fewer tools than calls has its last one called again
    let chosen = (0..count).filter_map(|index| tools.get(index).or(tools.last()));
    let calls = chosen.enumerate().map(|(index, tool)| {
        // a tool without a schema takes no arguments
        let filled = wanted.arguments.then(|| filler.fill(&tool.schema));
        let arguments = filled.filter(Value::is_object).unwrap_or_else(|| json!({}));
        let text = arguments.to_string();
        let size = text.len().div_ceil(4);
        Call {
            id: fingerprint(format!("{} {index} {}", ask.turns, ask.prompt).as_bytes()),
            name: tool.name.clone(),
            fragments: match wanted.arguments {
                true => fragments(&text, size),
                false => Vec::new(),
            },
            arguments,
            signature: signature.clone().filter(|_| index == 0),
        }
    });
    calls.collect()
}

/// The text, in fragments.
fn speech(ask: &Ask, plan: &Plan) -> Vec<String> {
    let text = match plan.scene.speech {
        _ if !ask.outcomes.is_empty() => quote(ask),
        Speech::Usual => {
            let seed = request::seed(ask.prompt.as_bytes());
            return (0..plan.events)
                .map(|index| word(plan, seed, index))
                .collect();
        }
        Speech::Long(count) => return long_words(&ask.prompt, count),
        Speech::Media => ask.media.join("\n"),
        Speech::Json => {
            let usual = || serde_json::from_str(NO_FORM).unwrap_or(Value::Null);
            let schema = ask.schema.clone().unwrap_or_else(usual);
            Filler::default().fill(&schema).to_string()
        }
        Speech::Params => ask.params.to_string(),
        Speech::Mirror => ask.raw.clone(),
    };
    fragments(&text, FRAGMENT)
}

/// What came back from the calls, so that a test sees which ids and contents arrived in which order.
fn quote(ask: &Ask) -> String {
    let lines = ask.outcomes.iter().map(|outcome| {
        let verb = if outcome.failed { "failed" } else { "said" };
        format!("{} {verb}: {}", outcome.id, outcome.content)
    });
    lines.collect::<Vec<_>>().join("\n")
}
