//! The fields of a request that its answer repeats.

use serde_json::{Map, Value, json};

/// Which, in the order in which the API writes them, and what stands there when they were not given.
fn defaults() -> [(&'static str, Value); 20] {
    [
        ("background", false.into()),
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("max_tool_calls", Value::Null),
        ("parallel_tool_calls", true.into()),
        ("previous_response_id", Value::Null),
        ("prompt_cache_key", Value::Null),
        ("reasoning", json!({"effort": null, "summary": null})),
        ("safety_identifier", Value::Null),
        ("service_tier", "auto".into()),
        ("store", true.into()),
        ("temperature", 1.0.into()),
        ("text", json!({"format": {"type": "text"}})),
        ("tool_choice", "auto".into()),
        ("tools", json!([])),
        ("top_logprobs", 0.into()),
        ("top_p", 1.0.into()),
        ("truncation", "disabled".into()),
        ("user", Value::Null),
        ("metadata", json!({})),
    ]
}

/// What the answer to `body` repeats of it, for [`Reply::echo`](crate::chat::Reply). A body that is no
/// request has the defaults.
#[must_use]
pub fn echo(body: &[u8]) -> Map<String, Value> {
    let mut request: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let mut echo = Map::new();
    for (name, default) in defaults() {
        let given = request.get_mut(name).map(Value::take);
        echo.insert(
            name.to_owned(),
            or_default(given.unwrap_or_default(), default),
        );
    }
    echo
}

/// The value given; an object's missing fields stand there with their defaults.
fn or_default(given: Value, default: Value) -> Value {
    match (given, default) {
        (Value::Null, default) => default,
        (Value::Object(given), Value::Object(mut default)) => {
            default.extend(given.into_iter().filter(|(_, value)| !value.is_null()));
            Value::Object(default)
        }
        (given, _) => given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_stands_among_the_defaults() {
        let body = json!({
            "model": "m",
            "input": "hi",
            "temperature": 0.5,
            "reasoning": {"effort": "low", "summary": null},
            "text": {"verbosity": "low"},
            "tools": [{"type": "web_search"}],
            "metadata": {"a": "b"},
            "tool_choice": {"type": "web_search"},
            "user": null,
        });
        let echo = echo(body.to_string().as_bytes());
        assert_eq!(echo["temperature"], 0.5);
        assert_eq!(echo["reasoning"], json!({"effort": "low", "summary": null}));
        assert_eq!(
            echo["text"],
            json!({"format": {"type": "text"}, "verbosity": "low"})
        );
        assert_eq!(echo["tools"], json!([{"type": "web_search"}]));
        assert_eq!(echo["metadata"], json!({"a": "b"}));
        assert_eq!(echo["tool_choice"], json!({"type": "web_search"}));
        assert_eq!(echo["store"], true);
        assert_eq!(echo["user"], Value::Null);
        let names: Vec<&String> = echo.keys().collect();
        let order: Vec<&str> = defaults().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, order);
    }

    #[test]
    fn a_bad_body_has_the_defaults() {
        for body in ["", "[1]", "nonsense"] {
            let echo = echo(body.as_bytes());
            assert_eq!(
                echo,
                Map::from_iter(defaults().map(|(name, value)| (name.to_owned(), value)))
            );
        }
    }
}
