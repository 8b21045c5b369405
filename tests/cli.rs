//! The commands beside `serve`.

use std::{fs, process::Output};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use troupe_simulator::{Behaviour, Simulator};

use crate::support::{Answer, App, Provider, app::run, chat, eventually};

fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

#[test]
fn check_lists_every_problem_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let faulty = "[server]\nlistn = \"127.0.0.1:0\"\nworkers = \"two\"\n\n[pool]\nstrategy = \"round_robbin\"\n\n\
                  [[provider]]\nname = \"acme\"\nkind = \"openai\"\nbase_ulr = \"http://127.0.0.1:1/v1\"\n";
    fs::write(folder.path().join("config.toml"), faulty).unwrap();
    let output = run(folder.path(), &[], &["check"]);
    let text = text(&output);
    assert!(!output.status.success(), "{text}");
    for (place, hint) in [
        ("config.toml:2", "listen"),
        ("config.toml:3", "workers"),
        ("config.toml:6", "round_robin"),
        ("config.toml:11", "base_url"),
    ] {
        let found = text
            .lines()
            .any(|line| line.contains(place) && line.contains(hint));
        assert!(found, "nothing of {place} and {hint} in:\n{text}");
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "check wrote files"
    );
}

#[test]
fn check_is_content_with_what_works() {
    let folder = App::builder().folder();
    let output = run(folder.path(), &[], &["check"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "check wrote files"
    );
}

#[test]
fn serve_refuses_what_check_refuses() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "[server]\nlistn = 1\n").unwrap();
    let output = run(folder.path(), &[], &["serve"]);
    assert!(!output.status.success());
    assert!(text(&output).contains("config.toml:2"), "{}", text(&output));
}

#[actix_rt::test]
async fn keys_are_made_listed_and_revoked() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let made = app.run(&["keys", "create", "--name", "laptop"]);
    let made = text(&made);
    let key = made.split_whitespace().find(|word| word.starts_with("tp-"));
    let key = key.unwrap_or_else(|| panic!("no key in {made}")).to_owned();
    let status = async || {
        let request = app
            .client()
            .post(app.url("/v1/chat/completions"))
            .bearer_auth(&key);
        let answer = Answer::of(request, Some(&chat::plain("acme/gpt-4o"))).await;
        answer.unwrap().status
    };
    eventually("the new key", async || {
        (status().await == 200).then_some(())
    })
    .await;

    let list = text(&app.run(&["keys", "list"]));
    assert!(!list.contains(&key), "a key is shown once only");
    let line = list.lines().find(|line| line.contains("laptop"));
    let id = line.and_then(|line| line.split_whitespace().next());
    let id = id.unwrap_or_else(|| panic!("no id in {list}"));
    let revoked = app.run(&["keys", "revoke", id]);
    assert!(revoked.status.success(), "{}", text(&revoked));
    eventually("the end of the key", async || {
        (status().await == 401).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn the_doctor_looks_at_each_token() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).tokens(&["sk-upstream-token-a", "sk-upstream-token-b"]);
    let app = App::builder().provider(provider).start().await;
    let well = app.run(&["doctor"]);
    assert!(well.status.success(), "{}", text(&well));
    for part in ["database", "key-value", "acme", "clock", "disk"] {
        assert!(
            text(&well).to_lowercase().contains(part),
            "{part}: {}",
            text(&well)
        );
    }
    sim.script()
        .token("sk-upstream-token-b")
        .answers([Behaviour::invalid_key()]);
    let ill = app.run(&["doctor"]);
    assert!(!ill.status.success(), "{}", text(&ill));
}

#[actix_rt::test]
async fn a_lost_password_and_a_lost_token_are_replaced_at_once() {
    let app = App::builder().start().await;
    let given = app.run(&["admin", "reset-password"]);
    assert!(given.status.success(), "{}", text(&given));
    assert!(!text(&given).contains(App::ADMIN_PASSWORD));

    let made = |command| {
        let output = run(&app.path(""), &[], &["admin", command]);
        assert!(output.status.success(), "{}", text(&output));
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        out.lines().last().expect("what was made").to_owned()
    };
    let status = async |header: &str, value: &str| {
        let request = app.client().get(app.url("/api/admin/calls"));
        let request = request.insert_header((header, value));
        Answer::of(request, None).await.expect("an answer").status
    };
    let basic = |password: &str| format!("Basic {}", STANDARD.encode(format!("admin:{password}")));
    let known = basic(App::ADMIN_PASSWORD);
    assert_eq!(status("authorization", &known).await, 200);
    assert_eq!(status("x-admin-token", App::ADMIN_TOKEN).await, 200);
    let (password, token) = (made("reset-password"), made("reset-token"));
    for (header, new, old) in [
        ("authorization", basic(&password), known),
        ("x-admin-token", token, App::ADMIN_TOKEN.to_owned()),
    ] {
        assert_eq!(status(header, &new).await, 200, "{header}");
        assert_eq!(status(header, &old).await, 401, "{header}");
    }
}
