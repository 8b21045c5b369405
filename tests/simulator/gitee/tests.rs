//! Gitee AI, seen by a client over real sockets.

use serde_json::{Value, json};

use crate::{Behaviour, trial::Trial};

const KEY: (&str, &str) = ("authorization", "Bearer gt-a");

fn link(trial: &Trial, file: &str) -> Value {
    json!(trial.sim.at(&format!("/files/{file}")))
}

#[actix_web::test]
async fn pictures_at_once() {
    let trial = Trial::new(&[KEY]);
    let order = json!({"model": "z-image-turbo", "prompt": "a cat", "size": "96x64",
        "num_images_per_prompt": 2});
    let heard = trial
        .post("/gitee/v1/images/generations", &order)
        .await
        .json();
    assert_eq!(
        heard["data"],
        json!([{"url": link(&trial, "96x64-0.png")}, {"url": link(&trial, "96x64-0.png")}])
    );
    let nothing = trial
        .post("/gitee/v1/images/generations", &json!({"model": "m"}))
        .await;
    assert_eq!(nothing.status, 400);
    assert_eq!(nothing.json()["message"], "必传参数: prompt");
}

#[actix_web::test]
async fn tasks_step_by_step_and_cancelled() {
    let trial = Trial::new(&[KEY]);
    let film = json!({"model": "Wan2.1-T2V-14B", "prompt": "a cat"});
    let path = "/gitee/v1/async/videos/generations";
    let begun = trial.post(path, &film).await.json();
    let task = format!("/gitee/api/v1/task/{}", begun["task_id"].as_str().unwrap());
    assert_eq!(begun["urls"]["get"], json!(trial.sim.at(&task)));
    for status in ["waiting", "in_progress", "success"] {
        assert_eq!(trial.get(&task).await.json()["status"], status);
    }
    let done = trial.get(&task).await.json();
    assert_eq!(done["output"]["file_url"], link(&trial, "film.mp4"));
    assert_eq!(trial.get("/gitee/api/v1/task/none").await.status, 404);

    let endless = json!({"model": "Wan2.1-T2V-14B", "prompt": "endless"});
    let begun = trial.post(path, &endless).await.json();
    let task = format!("/gitee/api/v1/task/{}", begun["task_id"].as_str().unwrap());
    let quota = trial.get("/gitee/v1/tasks/available-quota").await.json();
    assert_eq!(quota, json!({"available": 4, "max_concurrency": 5}));
    trial.post(&format!("{task}/cancel"), &json!({})).await;
    assert_eq!(trial.get(&task).await.json()["status"], "cancelled");
}

#[actix_web::test]
async fn upscaling_answers_with_the_picture() {
    let trial = Trial::new(&[KEY]);
    let order = json!({"model": "AnimeSharp", "image_url": "https://a.test/1.png", "outscale": 2});
    let heard = trial.post_raw("/gitee/v1/images/upscaling", &order).await;
    let reader = png::Decoder::new(std::io::Cursor::new(heard))
        .read_info()
        .unwrap();
    assert_eq!(reader.info().size(), (128, 128));
}

#[actix_web::test]
async fn refusals_have_its_words() {
    let trial = Trial::new(&[KEY]);
    let order = json!({"model": "z-image-turbo", "prompt": "a cat"});
    for (behaviour, status, text) in [
        (
            Behaviour::insufficient_quota(),
            400,
            "Today the free API access limit exceeded.",
        ),
        (Behaviour::invalid_key(), 401, "Invalid access token"),
        (
            Behaviour::status(404),
            400,
            "Service not found: z-image-turbo",
        ),
        (
            Behaviour::status(503),
            503,
            "Service Temporarily Unavailable",
        ),
    ] {
        trial.sim.script().token("gt-a").answers([behaviour]);
        let heard = trial.post("/gitee/v1/images/generations", &order).await;
        assert_eq!(
            (heard.status, &heard.json()["message"]),
            (status, &json!(text))
        );
    }
    assert_eq!(trial.sim.script().stats().token("gt-a"), 4);
    let nobody = Trial::new(&[]);
    assert_eq!(
        nobody
            .post("/gitee/v1/images/generations", &order)
            .await
            .status,
        401
    );
}
