//! ModelScope, seen by a client over real sockets.

use serde_json::json;

use crate::{Behaviour, trial::Trial};

const KEYS: [(&str, &str); 3] = [
    ("authorization", "Bearer ms-a"),
    ("x-modelscope-async-mode", "true"),
    ("x-modelscope-task-type", "image_generation"),
];

const PATH: &str = "/modelscope/v1/images/generations";

#[actix_web::test]
async fn tasks_step_by_step() {
    let trial = Trial::new(&KEYS);
    for (prompt, end) in [("a cat", "SUCCEED"), ("a doomed cat", "FAILED")] {
        let order = json!({"model": "m", "prompt": prompt, "size": "96x64"});
        let begun = trial.post(PATH, &order).await.json();
        let task = format!(
            "/modelscope/v1/tasks/{}",
            begun["task_id"].as_str().unwrap()
        );
        for status in ["PENDING", "RUNNING", end] {
            assert_eq!(trial.get(&task).await.json()["task_status"], status);
        }
        let images = &trial.get(&task).await.json()["output_images"];
        let link = trial.sim.at("/files/96x64-0.png");
        assert_eq!(images.get(0) == Some(&json!(link)), end == "SUCCEED");
    }
    let other = Trial::new(&KEYS[..2]);
    let order = json!({"model": "m", "prompt": "a cat"});
    let begun = other.post(PATH, &order).await.json();
    let task = format!(
        "/modelscope/v1/tasks/{}",
        begun["task_id"].as_str().unwrap()
    );
    assert_eq!(other.get(&task).await.status, 404);
}

#[actix_web::test]
async fn without_the_header_it_answers_at_once() {
    let trial = Trial::new(&KEYS[..1]);
    let order = json!({"model": "m", "prompt": "a cat"});
    let images = &trial.post(PATH, &order).await.json()["images"];
    assert_eq!(
        *images,
        json!([{"url": trial.sim.at("/files/64x64-0.png")}])
    );
}

#[actix_web::test]
async fn what_is_left_stands_in_headers() {
    let trial = Trial::new(&KEYS);
    let order = json!({"model": "m", "prompt": "a cat"});
    let left = "modelscope-ratelimit-model-requests-remaining";
    assert_eq!(
        trial.post(PATH, &order).await.headers.get(left).unwrap(),
        "100"
    );
    trial
        .sim
        .script()
        .token("ms-a")
        .answers([Behaviour::insufficient_quota()]);
    let spent = trial.post(PATH, &order).await;
    assert_eq!(
        (spent.status, spent.headers.get(left).unwrap().as_bytes()),
        (429, &b"0"[..])
    );
    let text = spent.json()["errors"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        text.starts_with("You have exceeded today's quota for model m,"),
        "{text}"
    );
}
