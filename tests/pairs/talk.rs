//! Texts, tools, pictures, parameters.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{KINDS, Speaker, all_pairs, app, streaming};

#[actix_rt::test]
async fn texts_arrive_with_their_usage_and_end() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind, stream) in all_pairs() {
        let body = speaker.asks(&format!("{kind}/sim-stream-5"), "seed:7");
        let heard = speaker.hears(&app, &streaming(body, stream)).await;
        let pair = format!("{speaker:?} on {kind}, stream {stream}: {heard:?}");
        assert_eq!(heard.text.trim(), "7-0 7-1 7-2 7-3 7-4", "{pair}");
        let stop = match speaker {
            Speaker::Chat => "stop",
            Speaker::Responses => "completed",
            Speaker::Messages => "end_turn",
        };
        assert_eq!(heard.stop, stop, "{pair}");
        // a stream of openai_chat tells its usage only when asked
        if !(stream && speaker == Speaker::Chat) {
            assert!(heard.usage[0] > 0 && heard.usage[2] > 0, "{pair}");
        }
    }
}

#[actix_rt::test]
async fn two_tools_are_called_and_their_results_come_back_in_order() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind, stream) in all_pairs() {
        for scene in ["sim-tools", "sim-text-tools"] {
            let model = format!("{kind}/{scene}");
            let body = speaker.with_tools(speaker.asks(&model, "weather and time in Paris?"));
            let mut body = streaming(body, stream);
            let heard = speaker.hears(&app, &body).await;
            let pair = format!("{speaker:?} on {model}, stream {stream}: {heard:?}");
            let called: Vec<_> = heard
                .calls
                .iter()
                .map(|(_, name, input)| (name.as_str(), input))
                .collect();
            assert_eq!(called.len(), 2, "{pair}");
            assert_eq!(
                (called[0].0, called[1].0),
                ("get_weather", "get_time"),
                "{pair}"
            );
            assert!(
                called[0].1["city"].is_string() && called[1].1["zone"].is_string(),
                "{pair}"
            );
            let stop = match speaker {
                Speaker::Chat => "tool_calls",
                Speaker::Responses => "completed",
                Speaker::Messages => "tool_use",
            };
            assert_eq!(heard.stop, stop, "{pair}");
            assert_ne!(heard.calls[0].0, heard.calls[1].0, "{pair}");
            speaker.answers_calls(&mut body, &heard);
            let told = speaker.hears(&app, &body).await;
            let first = told.text.find("result of get_weather");
            let second = told.text.find("result of get_time");
            assert!(first.is_some() && first < second, "{pair} then {told:?}");
        }
    }
}

#[actix_rt::test]
async fn odd_streams_of_tool_calls_are_put_in_order() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let scenes = [
        "sim-onepiece-tools",
        "sim-interleaved-tools",
        "sim-tools+no-done",
    ];
    // to a client of openai_chat they pass through as they are
    for speaker in [Speaker::Responses, Speaker::Messages] {
        for scene in scenes {
            let body = speaker.with_tools(speaker.asks(&format!("openai/{scene}"), "both?"));
            let heard = speaker.hears(&app, &streaming(body, true)).await;
            let names: Vec<_> = heard.calls.iter().map(|call| call.1.as_str()).collect();
            assert_eq!(names, ["get_weather", "get_time"], "{speaker:?} {scene}");
        }
    }
}

#[actix_rt::test]
async fn a_call_without_arguments_is_one_with_none() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let speaker = Speaker::Messages;
    for (kind, stream) in KINDS.iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let model = format!("{kind}/sim-noargs-tool");
        let body = speaker.with_tools(speaker.asks(&model, "one?"));
        let heard = speaker.hears(&app, &streaming(body, stream)).await;
        assert_eq!(heard.calls.len(), 1, "{model}");
        assert_eq!(heard.calls[0].2, json!({}), "{model}");
    }
}

#[actix_rt::test]
async fn how_an_answer_ends_is_told_in_the_clients_words() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind, stream) in all_pairs() {
        let body = speaker.asks(&format!("{kind}/sim-length"), "go on");
        let heard = speaker.hears(&app, &streaming(body, stream)).await;
        let length = match speaker {
            Speaker::Chat => "length",
            Speaker::Responses => "max_output_tokens",
            Speaker::Messages => "max_tokens",
        };
        assert_eq!(heard.stop, length, "{speaker:?} on {kind}, stream {stream}");
    }
}

#[actix_rt::test]
async fn tokens_are_counted_in_their_right_places() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind, stream) in all_pairs() {
        let mut body = streaming(speaker.asks(&format!("{kind}/sim-cached"), "hello"), stream);
        if stream && speaker == Speaker::Chat {
            body["stream_options"] = json!({"include_usage": true});
        }
        let [prompt, cached, completion, _] = speaker.hears(&app, &body).await.usage;
        let pair =
            format!("{speaker:?} on {kind}, stream {stream}: {prompt} {cached} {completion}");
        assert!(cached > 0 && prompt > cached && completion > 0, "{pair}");
    }
}

#[actix_rt::test]
async fn pictures_arrive_byte_for_byte() {
    const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let mut echoes = Vec::new();
    for speaker in Speaker::ALL {
        for kind in KINDS {
            let mut body = speaker.asks(&format!("{kind}/sim-image-echo"), "what is this?");
            let content = match speaker {
                Speaker::Chat => json!([{"type": "text", "text": "what is this?"},
                    {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PIXEL}")}}]),
                Speaker::Responses => json!([{"type": "input_text", "text": "what is this?"},
                    {"type": "input_image", "image_url": format!("data:image/png;base64,{PIXEL}")}]),
                Speaker::Messages => json!([{"type": "text", "text": "what is this?"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}]),
            };
            speaker.turns(&mut body)[0]["content"] = content;
            echoes.push(speaker.hears(&app, &body).await.text);
        }
    }
    assert!(echoes[0].contains("image/png"), "{}", echoes[0]);
    assert!(echoes.iter().all(|echo| *echo == echoes[0]), "{echoes:#?}");
}

#[actix_rt::test]
async fn what_cannot_be_said_is_named_or_refused() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let mut body = Speaker::Chat.asks("anthropic/sim-params", "hello");
    body["seed"] = json!(7);
    body["top_p"] = json!(0.5);
    body["stop"] = json!(["END"]);
    body["something_new"] = json!({"x": 1});
    let answer = app.chat(&body).await;
    let dropped = answer.header("x-troupe-dropped").to_owned();
    assert_eq!(dropped, "something_new, seed");
    let sent = Speaker::Chat.whole(&answer.json().await).text;
    let sent: Value = serde_json::from_str(&sent).expect("the parameters");
    assert_eq!(
        (&sent["top_p"], &sent["stop_sequences"]),
        (&json!(0.5), &json!(["END"])),
        "{sent}"
    );
    body["n"] = json!(2);
    let error = app.chat(&body).await.error(400, "not_convertible").await;
    assert_eq!(error["param"], "n");
    // nothing is dropped, and nothing told, where the dialect is the same
    body["model"] = json!("openai/sim-params");
    let answer = app.chat(&body).await;
    assert_eq!(
        (answer.status, answer.header("x-troupe-dropped")),
        (200, "")
    );
}

#[actix_rt::test]
async fn conversations_never_mix() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let ask = |number: usize| {
        let speaker = Speaker::ALL[number % 3];
        let kind = KINDS[number / 3 % 4];
        let question = format!("conversation number {number}");
        let body = speaker.asks(&format!("{kind}/sim-long-300"), &question);
        let app = &app;
        async move {
            let heard = speaker.hears(app, &streaming(body, true)).await;
            let expected = troupe_simulator::long_text(&question, 300);
            assert_eq!(heard.text.trim(), expected.trim(), "{speaker:?} on {kind}");
        }
    };
    futures_util::future::join_all((0..200).map(ask)).await;
}
