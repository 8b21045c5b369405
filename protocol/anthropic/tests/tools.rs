//! Tools and choices for upstreams.

use serde_json::{Value, json};

use super::{call, encode, from_chat, function, message, result, written};
use crate::chat::{Cache, Role, Tool, ToolChoice};

#[test]
fn tools_of_every_kind() {
    let mut request = from_chat();
    let long = "x".repeat(200);
    request.tools = vec![
        Tool::Function {
            name: long.clone(),
            description: Some("d".to_owned()),
            schema: Some(json!({"properties": {"a": {}}})),
            strict: Some(true),
            cache: Some(Cache {
                ttl: Some("1h".to_owned()),
            }),
        },
        Tool::Hosted {
            name: "web_search".to_owned(),
        },
        Tool::Custom {
            name: "patch".to_owned(),
            description: Some("edits".to_owned()),
            format: Some(json!({"type": "grammar", "syntax": "lark", "definition": "start: WORD"})),
        },
        function("bare"),
    ];
    let (body, encoded) = encode(&request).unwrap();
    let tools = &body["tools"];
    let offered = tools[0]["name"].as_str().unwrap();
    assert_eq!(offered.len(), 128);
    assert_eq!(encoded.tools.original(offered), (&*long, false));
    let schema = json!({"properties": {"a": {}}, "type": "object"});
    assert_eq!(tools[0]["input_schema"], schema);
    assert_eq!(tools[0]["strict"], true);
    assert_eq!(
        tools[0]["cache_control"],
        json!({"type": "ephemeral", "ttl": "1h"})
    );
    assert_eq!(encoded.tools.original("patch"), ("patch", true));
    let description = tools[1]["description"].as_str().unwrap();
    assert!(description.starts_with("edits\n\n") && description.ends_with("\nstart: WORD"));
    assert_eq!(tools[1]["input_schema"]["required"], json!(["input"]));
    let bare = json!({"name": "bare", "input_schema": {"properties": {}, "type": "object"}});
    assert_eq!(tools[2], bare);
    assert_eq!(encoded.losses.to_string(), "tools[1]");
}

#[test]
fn choices_in_anthropics_words() {
    let only = |name: &str, required| ToolChoice::Allowed {
        names: vec![name.to_owned()],
        required,
    };
    let one = json!({"type": "tool", "name": "g"});
    let none = json!({"type": "none"});
    #[rustfmt::skip]
    let cases = [
        (None, None, Value::Null, 2),
        (None, Some(true), Value::Null, 2),
        (None, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true}), 2),
        (Some(ToolChoice::Auto), None, json!({"type": "auto"}), 2),
        (Some(ToolChoice::None), Some(false), none, 2),
        (Some(ToolChoice::Required), None, json!({"type": "any"}), 2),
        (Some(ToolChoice::Named("g".to_owned())), None, one, 2),
        (Some(only("g", true)), None, json!({"type": "any"}), 1),
        (Some(only("g", false)), None, json!({"type": "auto"}), 1),
    ];
    for (choice, parallel, expected, offered) in cases {
        let mut request = from_chat();
        request.tools = vec![function("f"), function("g")];
        request.tool_choice = choice.clone();
        request.parallel_tools = parallel;
        let (body, losses) = written(&request);
        assert_eq!(body["tool_choice"], expected, "{choice:?} {parallel:?}");
        assert_eq!(body["tools"].as_array().unwrap().len(), offered);
        assert_eq!(losses, "");
    }
    let mut request = from_chat();
    request.tool_choice = Some(ToolChoice::Auto);
    request.parallel_tools = Some(false);
    assert!(
        written(&request).0.get("tool_choice").is_none(),
        "there are no tools"
    );
}

#[test]
fn tools_of_earlier_turns_stay_defined() {
    let mut request = from_chat();
    request.messages.extend([
        message(
            Role::Assistant,
            vec![call("a", "f", ""), call("b", "f", "")],
        ),
        message(Role::User, vec![result("a", vec![]), result("b", vec![])]),
    ]);
    let (body, losses) = written(&request);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(body["tools"][0]["name"], "f");
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
    assert_eq!(losses, "");
}
