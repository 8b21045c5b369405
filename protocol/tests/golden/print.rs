//! JSON for people: what fits on a line stands on one.

use serde_json::Value;

/// The longest line that is not broken, in bytes.
const WIDTH: usize = 100;

pub fn print(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, indent: usize, out: &mut String) {
    let line = one_line(value);
    let used = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    match value {
        _ if used + line.len() <= WIDTH => out.push_str(&line),
        Value::Array(items) => {
            let items = items.iter().map(|item| (String::new(), item));
            block('[', items, ']', indent, out);
        }
        Value::Object(fields) => {
            let name = |name: &String| format!("{}: ", Value::from(name.as_str()));
            let fields = fields.iter().map(|(key, value)| (name(key), value));
            block('{', fields, '}', indent, out);
        }
        _ => out.push_str(&line),
    }
}

fn block<'v>(
    open: char,
    items: impl Iterator<Item = (String, &'v Value)>,
    close: char,
    indent: usize,
    out: &mut String,
) {
    out.push(open);
    for (at, (name, value)) in items.enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&" ".repeat(indent + 2));
        out.push_str(&name);
        write(value, indent + 2, out);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push(close);
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(one_line).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), one_line(value))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}
