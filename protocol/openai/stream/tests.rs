use proptest::prelude::*;

use super::*;

const ROLE: &str = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#;
const TEXT: &str = r#"data: {"choices":[{"index":0,"delta":{"content":"\"usage\":{\"prompt_tokens\":9} é"},"finish_reason":null}],"usage":null}"#;
const STOP: &str =
    r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#;
const USAGE_ONLY: &str =
    r#"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#;
const DONE: &str = "data: [DONE]";

fn stream(events: &[&str]) -> String {
    events.iter().map(|event| format!("{event}\n\n")).collect()
}

/// Pushes the pieces, ends the stream, and returns what went on.
fn run(tap: &mut StreamTap, pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        out.extend(tap.push(Bytes::copy_from_slice(piece)).unwrap());
    }
    out.extend(tap.finish());
    out
}

fn seen(text: &str) -> StreamSeen {
    let mut tap = StreamTap::new(false, 1 << 20);
    run(&mut tap, &[text.as_bytes()]);
    tap.seen().clone()
}

fn usage(prompt: u64, completion: u64) -> Option<Usage> {
    Some(Usage {
        prompt,
        completion,
        ..Usage::default()
    })
}

#[test]
fn watches_a_whole_stream() {
    let seen = seen(&stream(&[": hi", ROLE, TEXT, STOP, USAGE_ONLY, DONE]));
    let expected = StreamSeen {
        events: 4,
        content: true,
        finish_reason: true,
        done: true,
        usage: usage(7, 2),
        error: None,
    };
    assert_eq!(seen, expected);
}

#[test]
fn content_is_more_than_a_role() {
    let content = |delta: &str| {
        seen(&format!(
            "data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n"
        ))
        .content
    };
    for empty in [
        "null",
        "{}",
        r#"{"role":"assistant","content":null,"tool_calls":[]}"#,
    ] {
        assert!(!content(empty), "{empty}");
    }
    for said in [
        r#"{"content":" "}"#,
        r#"{"reasoning_content":"x"}"#,
        r#"{"tool_calls":[{"index":0}]}"#,
    ] {
        assert!(content(said), "{said}");
    }
    assert!(seen("data: {\"choices\":[{\"text\":\"old\"}]}\n\n").content);
    assert!(!seen("data: not json\n\ndata: [DONE]\n\n").content);
}

#[test]
fn text_is_not_taken_for_usage_finish_or_error() {
    let said = |text: &str| {
        let delta =
            serde_json::json!({"choices":[{"delta":{"content": text}, "finish_reason": null}]});
        seen(&format!("data: {delta}\n\n"))
    };
    for text in [
        r#"{"usage":{"prompt_tokens":1}}"#,
        r#"{"error":{"message":"x"}}"#,
        r#""finish_reason":"stop""#,
        "usage",
        "error",
    ] {
        let seen = said(text);
        assert_eq!(
            (seen.usage, &seen.error, seen.finish_reason),
            (None, &None, false),
            "{text}"
        );
    }
}

#[test]
fn usage_is_found_where_upstreams_put_it() {
    let counts = r#"{"prompt_tokens":3,"completion_tokens":4}"#;
    for place in [
        format!(r#"{{"usage": {counts},"choices":[{{"delta":{{}}}}]}}"#),
        format!(r#"{{"choices":[{{"delta":{{}},"usage":{counts}}}]}}"#),
        format!(r#"{{"choices":[{{"delta":{{}}}}],"x_groq":{{"id":"r","usage":{counts}}}}}"#),
    ] {
        let text = format!("data: {place}\n\ndata: {{\"usage\":null,\"choices\":[]}}\n\n");
        assert_eq!(seen(&text).usage, usage(3, 4), "{place}");
        let mut tap = StreamTap::new(true, 1 << 20);
        assert_eq!(
            run(&mut tap, &[text.as_bytes()]),
            text.as_bytes(),
            "more than usage stays"
        );
    }
}

#[test]
fn an_error_in_mid_stream_is_seen_and_kept() {
    let limited = r#"data: {"error":{"message":"slow down, sk-abcdefgh12345678","type":"rate_limit_error","code":"rate_limit_exceeded"}}"#;
    let text = stream(&[ROLE, limited]);
    let mut tap = StreamTap::new(true, 1 << 20);
    assert_eq!(run(&mut tap, &[text.as_bytes()]), text.as_bytes());
    let error = tap.seen().error.clone().unwrap();
    assert_eq!(error.kind, FailureKind::RateLimited { retry_after: None });
    assert!(!error.message.unwrap().contains("abcdefgh"));
    let both = "data: {\"error\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":5}}\n\n";
    let mut tap = StreamTap::new(true, 1 << 20);
    assert_eq!(run(&mut tap, &[both.as_bytes()]), both.as_bytes());
    assert_eq!(tap.usage(), usage(5, 0));
    assert!(seen("event: error\ndata: oops\n\n").error.is_some());
    assert!(
        seen("data: {\"error\":null,\"choices\":[]}\n\n")
            .error
            .is_none()
    );
}

#[test]
fn without_stripping_the_very_bytes_go_on() {
    let mut tap = StreamTap::new(false, 1 << 20);
    let whole = stream(&[ROLE, USAGE_ONLY, DONE]);
    let chunk = Bytes::from(whole.into_bytes());
    for part in [chunk.slice(..30), chunk.slice(30..)] {
        let out = tap.push(part.clone()).unwrap();
        assert_eq!((out.as_ptr(), out.len()), (part.as_ptr(), part.len()));
        assert_eq!(tap.forwarded_half_event(), part.len() == 30);
    }
    assert!(tap.finish().is_empty());
    assert_eq!(tap.usage(), usage(7, 2));
}

#[test]
fn with_stripping_complete_events_are_neither_held_nor_copied() {
    let mut tap = StreamTap::new(true, 1 << 20);
    let first = format!("{ROLE}\n\n{TEXT}\n\n");
    let chunk = Bytes::from(format!("{first}{USAGE_ONLY}"));
    let out = tap.push(chunk.clone()).unwrap();
    assert_eq!((out.as_ptr(), out.len()), (chunk.as_ptr(), first.len()));
    assert!(!tap.forwarded_half_event());
    assert_eq!(tap.push(Bytes::from_static(b"\n")).unwrap(), "");
    assert_eq!(
        tap.push(Bytes::from_static(b"\n: bye\ndata: [DONE]\n\n"))
            .unwrap(),
        ": bye\ndata: [DONE]\n\n"
    );
    assert!(tap.done() && tap.finish().is_empty());
}

#[test]
fn a_last_event_without_blank_line_is_read_too() {
    let mut tap = StreamTap::new(true, 1 << 20);
    assert_eq!(run(&mut tap, &[USAGE_ONLY.as_bytes()]), b"");
    assert_eq!(tap.usage(), usage(7, 2));
    let mut tap = StreamTap::new(true, 1 << 20);
    assert_eq!(run(&mut tap, &[b"data: [DO", b"NE]"]), b"data: [DONE]");
    assert!(tap.done());
}

#[test]
fn an_endless_event_is_refused() {
    for strip in [false, true] {
        let mut tap = StreamTap::new(strip, 100);
        assert!(tap.push(Bytes::from(vec![b'x'; 90])).is_ok());
        let error = tap.push(Bytes::from(vec![b'x'; 11])).unwrap_err();
        assert_eq!(error, EventTooLong { limit: 100 });
    }
}

proptest! {
    #[test]
    fn any_split_forwards_the_same(
        picks in proptest::collection::vec(prop::sample::select(
            &[ROLE, TEXT, STOP, USAGE_ONLY, DONE, ": ping", "event: x", "data: {\ndata: }"][..],
        ), 0..8),
        cuts in proptest::collection::vec(0usize..900, 0..10),
        strip: bool,
        ended: bool,
    ) {
        let mut whole = stream(&picks);
        let mut kept = stream(&picks.iter().copied().filter(|pick| !strip || *pick != USAGE_ONLY).collect::<Vec<_>>());
        if !ended {
            whole.push_str("data: rest");
            kept.push_str("data: rest");
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &whole.as_bytes()[pair[0]..pair[1]]).collect();
        let mut tap = StreamTap::new(strip, 1 << 20);
        let out = run(&mut tap, &pieces);
        prop_assert_eq!(String::from_utf8(out).unwrap(), kept);
        prop_assert_eq!(tap.seen(), &seen(&whole));
    }
}
