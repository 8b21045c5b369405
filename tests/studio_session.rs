//! The studio's door: what a session opens, to whom, and how it ends.

use awc::{
    Client,
    http::{Method, header},
};

use crate::support::{Answer, App, eventually};

/// A client that goes nowhere by itself.
fn client() -> Client {
    Client::builder().disable_redirects().finish()
}

/// Signs in with a key as the page's form does; gives the answer.
async fn sign_in(app: &App, key: &str, headers: &[(&str, &str)]) -> Answer {
    let request = client().post(app.url("/studio/session"));
    let request = headers
        .iter()
        .fold(request, |request, header| request.insert_header(*header));
    let sent = request.send_form(&[("key", key)]).await;
    Answer::new(sent.expect("an answer"))
}

/// The cookie of a new session.
async fn session(app: &App, key: &str) -> String {
    let answer = sign_in(app, key, &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/studio"));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(key), "the key itself stays here");
    cookie.split(';').next().unwrap().to_owned()
}

/// A request with a cookie, and other headers.
async fn send(
    app: &App,
    method: Method,
    path: &str,
    cookie: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let request = client().request(method, app.url(path));
    let request = headers.iter().fold(
        request.insert_header((header::COOKIE, cookie)),
        |request, header| request.insert_header(*header),
    );
    Answer::of(request, None).await.expect("an answer")
}

async fn get(app: &App, path: &str, cookie: &str) -> Answer {
    send(app, Method::GET, path, cookie, &[]).await
}

#[actix_rt::test]
async fn a_session_opens_the_studio_and_its_api_alone() {
    let app = App::builder().start().await;
    let cookie = session(&app, App::API_KEY).await;
    let page = get(&app, "/studio", &cookie).await.text().await;
    assert!(page.contains("id=\"panel\"") && page.contains("demo/demo-image"));
    get(&app, "/api/v1/models/all", &cookie).await.ok().await;
    for elsewhere in ["/v1/models", "/v1/jobs", "/api/v1x"] {
        let answer = get(&app, elsewhere, &cookie).await;
        assert!([401, 404].contains(&answer.status), "{elsewhere}");
    }
    let door = get(&app, "/studio", "troupe_theme=dark").await;
    assert_eq!(door.status, 200);
    assert!(door.text().await.contains("name=\"key\""));
}

#[actix_rt::test]
async fn forged_cookies_and_wrong_keys_open_nothing() {
    let app = App::builder().start().await;
    let cookie = session(&app, App::API_KEY).await;
    let mut forged = cookie.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == '0' { '1' } else { '0' });
    for cookie in [
        forged.as_str(),
        "troupe_studio=",
        "troupe_studio=9999999999999.x.y",
    ] {
        let answer = get(&app, "/api/v1/models/all", cookie).await;
        assert_eq!(answer.status, 401, "{cookie}");
        let page = get(&app, "/studio", cookie).await.text().await;
        assert!(page.contains("Your session has ended"), "{cookie}");
    }
    let own = [("sec-fetch-site", "same-origin")];
    let wrong = sign_in(&app, "tp-no-key-at-all", &own).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));
    assert!(wrong.text().await.contains("no API key of this gateway"));
}

#[actix_rt::test]
async fn pages_of_other_sites_gain_nothing() {
    let app = App::builder().start().await;
    let cookie = session(&app, App::API_KEY).await;
    let own = app.url("");
    let host = own.strip_prefix("http://").unwrap();
    for (headers, status) in [
        (vec![], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("origin", "https://evil.example")], 403),
        // the body is missing, but the door is open
        (vec![("sec-fetch-site", "same-origin")], 400),
        (vec![("origin", own.as_str()), ("host", host)], 400),
    ] {
        let answer = send(&app, Method::POST, "/api/v1/tasks", &cookie, &headers).await;
        let told = answer.status;
        assert_eq!(told, status, "{headers:?}: {}", answer.text().await);
    }
    let socket = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", "https://evil.example"),
    ];
    let stream = "/api/v1/generate/stream";
    let refused = send(&app, Method::GET, stream, &cookie, &socket).await;
    assert_eq!(refused.status, 403);
    let foreign = sign_in(&app, App::API_KEY, &[("origin", "https://evil.example")]).await;
    assert_eq!((foreign.status, foreign.header("set-cookie")), (403, ""));
}

#[actix_rt::test]
async fn a_session_ends_with_its_key_and_when_one_signs_out() {
    let app = App::builder().start().await;
    let made = app.run(&["keys", "create", "--app", "painters"]);
    let made = String::from_utf8(made.stdout).unwrap();
    let words: Vec<&str> = made.split_whitespace().collect();
    let (id, key) = (words[1], *words.last().unwrap());
    eventually("the new key", async || {
        let own = [("sec-fetch-site", "same-origin")];
        (sign_in(&app, key, &own).await.status == 303).then_some(())
    })
    .await;
    let cookie = session(&app, key).await;
    get(&app, "/api/v1/models/all", &cookie).await.ok().await;
    let revoked = app.run(&["keys", "revoke", id]);
    assert!(revoked.status.success());
    eventually("the end of the session", async || {
        let answer = get(&app, "/api/v1/models/all", &cookie).await;
        (answer.status == 401).then_some(())
    })
    .await;
    let page = get(&app, "/studio", &cookie).await.text().await;
    assert!(page.contains("Your session has ended"));

    let cookie = session(&app, App::API_KEY).await;
    let own = [("sec-fetch-site", "same-origin")];
    let out = send(&app, Method::POST, "/studio/session/end", &cookie, &own).await;
    assert_eq!(out.status, 303);
    assert!(
        out.header("set-cookie")
            .starts_with("troupe_studio=; Path=/; Max-Age=0;")
    );
}

#[actix_rt::test]
async fn pages_and_what_they_load_are_sent_compressed() {
    let app = App::builder().start().await;
    let cookie = session(&app, App::API_KEY).await;
    let packed = [("accept-encoding", "gzip")];
    let page = send(&app, Method::GET, "/studio", &cookie, &packed).await;
    assert_eq!(page.header("content-encoding"), "gzip");
    let plain = send(&app, Method::GET, "/studio", &cookie, &[]).await;
    assert_eq!(plain.header("content-encoding"), "");
    let text = plain.text().await;
    let style = text
        .split('"')
        .find(|part| part.starts_with("/static/css/"));
    let style = style.expect("a stylesheet").to_owned();
    let small = send(&app, Method::GET, &style, "", &packed).await;
    assert_eq!(small.header("content-encoding"), "gzip");
    assert_eq!(small.bytes().await[..2], [0x1f, 0x8b]);
    // answers of the API, and pictures, go as they are
    let models = send(&app, Method::GET, "/api/v1/models", &cookie, &packed).await;
    assert_eq!(models.header("content-encoding"), "");
}
