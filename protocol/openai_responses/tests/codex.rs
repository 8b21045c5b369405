//! A request as the Codex CLI sends it in mid-session.

use serde_json::{Value, json};

use super::super::read_request;
use crate::chat::{PartBody, Role, Tool, ToolChoice};

fn turn() -> Value {
    json!({
        "model": "gpt-5-codex", "instructions": "You are a coding agent.",
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "<permissions>"}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<environment_context>"}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "fix it"}]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "look"}], "content": null, "encrypted_content": "gAAAA"},
            {"type": "function_call", "name": "shell", "arguments": "{\"command\":[\"ls\"]}", "call_id": "call_1"},
            {"type": "function_call", "name": "view_image", "arguments": "{\"path\":\"a.png\"}", "call_id": "call_2"},
            {"type": "function_call_output", "call_id": "call_1", "output": "a.rs"},
            {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
            {"type": "reasoning", "summary": [], "encrypted_content": "gBBBB"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "patching"}]},
            {"type": "custom_tool_call", "status": "completed", "call_id": "call_3", "name": "apply_patch", "input": "*** Begin Patch"},
            {"type": "custom_tool_call_output", "call_id": "call_3", "output": "ok"},
            {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}},
        ],
        "tools": [
            {"type": "function", "name": "shell", "description": "runs", "strict": false, "parameters": {"type": "object", "properties": {}}},
            {"type": "custom", "name": "apply_patch", "description": "edits", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
            {"type": "web_search", "external_web_access": false},
            {"type": "local_shell"},
        ],
        "tool_choice": "auto", "parallel_tool_calls": false, "reasoning": {"effort": "medium", "summary": "auto"},
        "store": false, "stream": true, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "0199",
        "text": {"verbosity": "medium"},
    })
}

#[test]
fn a_session_is_read_whole() {
    let request = read_request(turn().to_string().as_bytes()).unwrap();
    assert!(request.stream);
    assert_eq!(request.system.len(), 2);
    let roles: Vec<Role> = request
        .messages
        .iter()
        .map(|message| message.role)
        .collect();
    use Role::{Assistant, User};
    assert_eq!(roles, [User, User, Assistant, User, Assistant, User]);
    let kinds = |at: usize| -> String {
        let parts = request.messages[at].parts.iter();
        parts
            .map(|part| match part.body {
                PartBody::Text(_) => 't',
                PartBody::Thinking(_) => 'h',
                PartBody::Call(_) => 'c',
                PartBody::Result(_) => 'r',
                _ => '?',
            })
            .collect()
    };
    assert_eq!(
        [kinds(2), kinds(3), kinds(4), kinds(5)],
        ["hcc", "rr", "htc", "r"]
    );
    assert!(matches!(request.tools[1], Tool::Custom { .. }));
    assert!(matches!(request.tools[3], Tool::Hosted { .. }));
    assert_eq!(request.tool_choice, Some(ToolChoice::Auto));
    let unread: Vec<&str> = request.unread.iter().collect();
    assert_eq!(unread, ["input[12]"]);
}
