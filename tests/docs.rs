//! The user's guide says what the code does, where that can be compared.

use troupe_protocol::openai::error::{ErrorCode, Layer};

#[test]
fn every_error_code_has_its_row() {
    let page = include_str!("../docs/errors.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<&str> = rows.collect();
    for code in ErrorCode::ALL {
        let layer = match code.layer() {
            Layer::Request => "request",
            Layer::Key => "key",
            Layer::Gateway => "gateway",
            Layer::Upstream => "upstream",
        };
        let retry = if code.retryable() { "yes" } else { "no" };
        let row = format!("| `{code}` | {} | {layer} | {retry} | ", code.status());
        assert!(
            rows.iter().any(|line| line.starts_with(&row)),
            "docs/errors.md lacks: {row}"
        );
    }
    assert_eq!(rows.len(), ErrorCode::ALL.len(), "docs/errors.md has more");
}
