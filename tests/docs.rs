//! The user's guide says what the code does, where that can be compared.

use std::{fs, path::Path};

use troupe_protocol::{
    anthropic::error::kind_and_status,
    failure::{FailureKind, QuotaScope},
    openai::error::{ErrorCode, Layer},
};

const ERRORS: &str = include_str!("../docs/errors.md");

/// The table rows under a heading that begin with a word in code.
fn rows(heading: &str) -> Vec<&'static str> {
    let (_, section) = ERRORS.split_once(heading).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.collect()
}

#[test]
fn every_failure_is_told_as_the_table_says() {
    let rows = rows("\n## In each dialect\n");
    let retry_after = None;
    let scope = QuotaScope::Credential;
    let kinds = [
        FailureKind::InvalidRequest,
        FailureKind::ContentPolicy,
        FailureKind::RateLimited { retry_after },
        FailureKind::QuotaExhausted { scope, retry_after },
        FailureKind::Overloaded { retry_after },
        FailureKind::Timeout,
        FailureKind::Network,
        FailureKind::Upstream,
        FailureKind::AuthInvalid,
        FailureKind::NotEntitled,
    ];
    assert_eq!(rows.len(), kinds.len(), "docs/errors.md has others");
    for (kind, row) in kinds.into_iter().zip(rows) {
        let code = ErrorCode::from(kind);
        let openai = format!("{} `{}`", code.status(), code.kind());
        let (name, status) = kind_and_status(code);
        let expected = format!("| `{kind}` | `{code}` | {openai} | {status} `{name}` | ");
        assert!(
            row.starts_with(&expected),
            "docs/errors.md lacks: {expected}"
        );
        let warns = row.contains("x-should-retry: false");
        assert_eq!(warns, code.status() >= 500 && !code.retryable(), "{row}");
    }
}

#[test]
fn every_error_code_has_its_row() {
    let rows = rows("\n## Codes\n");
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

/// What a heading is called in links.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
    kept.chars().filter(plain).collect()
}

fn has_heading(page: &Path, wanted: &str) -> bool {
    let text = fs::read_to_string(page).expect("a page");
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let mut anchors = headings.map(|line| anchor(line.trim_start_matches('#').trim_start()));
    anchors.any(|anchor| anchor == wanted)
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).expect("docs");
    let docs = docs.map(|entry| entry.expect("an entry").path());
    for page in docs.chain([root.join("README.md")]) {
        let text = fs::read_to_string(&page).expect("a page");
        let targets = text.split("](").skip(1);
        for target in targets.filter_map(|rest| Some(rest.split_once(')')?.0)) {
            if target.starts_with("http") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => page.clone(),
                path => page.with_file_name(path),
            };
            assert!(file.exists(), "{}: {target}", page.display());
            let found = heading.is_empty() || has_heading(&file, heading);
            assert!(found, "{}: {target}", page.display());
        }
    }
}
