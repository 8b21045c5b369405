//! A custom tool, whose input is free text, where it must be offered as a function.

use serde_json::{Value, json};

use super::tools::CUSTOM_INPUT;

/// The schema of its one argument.
pub(crate) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {CUSTOM_INPUT: {"type": "string"}},
        "required": [CUSTOM_INPUT],
    })
}

/// What the model is told of it. A grammar cannot be enforced then, but it can be told.
pub(crate) fn description(own: Option<&str>, format: Option<&Value>) -> String {
    let hint = format!("The argument `{CUSTOM_INPUT}` is the tool's whole input, as free text.");
    let grammar = format.and_then(definition);
    let grammar = grammar.map(|text| format!("It must follow this grammar:\n{text}"));
    let told = [own.map(str::to_owned), Some(hint), grammar];
    told.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// OpenAI's two dialects nest a grammar differently.
fn definition(format: &Value) -> Option<&str> {
    let grammar = format.get("grammar").unwrap_or(format);
    grammar.get("definition")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grammar_is_told_in_either_form() {
        let flat = json!({"type": "grammar", "syntax": "lark", "definition": "start: /.+/"});
        let nested =
            json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /.+/"}});
        let expected = "Changes files\n\nThe argument `input` is the tool's whole input, as free text.\n\nIt must follow this grammar:\nstart: /.+/";
        for format in [flat, nested] {
            assert_eq!(description(Some("Changes files"), Some(&format)), expected);
        }
        let bare = "The argument `input` is the tool's whole input, as free text.";
        assert_eq!(description(None, Some(&json!({"type": "text"}))), bare);
    }
}
