//! The first start with nothing configured at all.

use crate::support::{Answer, App, chat};

/// The first word of a text that begins so.
fn word(text: &str, start: &str) -> Option<String> {
    let end = |at: char| at.is_whitespace() || "'\"`,;)".contains(at);
    let at = text.find(start)?;
    let word = text[at..].split(end).next()?;
    Some(word.to_owned())
}

#[actix_rt::test]
async fn a_key_and_a_password_are_made_and_shown_once() {
    let mut app = App::bare().await;
    let shown = app.logs();
    let key = word(&shown, "tp-").unwrap_or_else(|| panic!("no key in {shown}"));
    for part in ["curl", "OpenAI(", "ANTHROPIC_BASE_URL", &app.url("")] {
        assert!(shown.contains(part), "{part} is missing in:\n{shown}");
    }
    let pages = app.client().get(app.url("/admin"));
    let answer = Answer::of(pages, None).await.unwrap();
    assert_ne!(answer.status, 404, "what is shown as the admin's pages");
    let ask = || {
        app.client()
            .post(app.url("/v1/chat/completions"))
            .bearer_auth(&key)
    };
    let answer = Answer::of(ask(), Some(&chat::plain("demo/demo-chat")))
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.header("x-troupe-provider")),
        (200, "demo")
    );
    let text = answer.json().await["choices"][0]["message"]["content"].to_string();
    assert!(text.len() > 10, "{text}");
    let answer = Answer::of(ask(), Some(&chat::stream("demo/demo-chat")))
        .await
        .unwrap();
    assert!(!answer.streamed_text().await.is_empty());

    app.terminate();
    app.ended().await;
    app.restart().await;
    let again = app.logs();
    assert_eq!(
        again.matches(&key).count(),
        shown.matches(&key).count(),
        "shown twice"
    );
    let ask = app
        .client()
        .post(app.url("/v1/chat/completions"))
        .bearer_auth(&key);
    let answer = Answer::of(ask, Some(&chat::plain("demo/demo-chat")))
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
}
