//! Ordering, looking at, listing, cancelling and removing tasks.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{done, endless, filming, fox, get_as, id, look, ordered, reaches, refused, stranger};
use crate::{
    pictures::{refusal, volcengine},
    support::{Answer, App, PostgresServer, eventually},
};

/// The seed's own example.
fn cat() -> Value {
    json!({
        "prompt": "一只可爱的猫咪", "negative_prompt": "模糊, 低质量", "model": "general_v2.0",
        "width": 1024, "height": 1024, "num_images": 1, "steps": 20, "scale": 7.5, "seed": null,
    })
}

async fn volcano(sim: &Simulator) -> App {
    let keys = ["access-key-one-0123"];
    App::builder()
        .provider(volcengine::provider(sim, &keys))
        .start()
        .await
}

#[actix_rt::test]
async fn the_seeds_own_example_is_a_task_until_its_picture_is_there() {
    let sim = Simulator::start();
    let app = volcano(&sim).await;
    let answer = app.post("/api/v1/generate", &cat()).await;
    assert_eq!(answer.status, 201);
    let taken = answer.json().await;
    let fields: Vec<_> = taken.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["task_id", "status", "created_at", "estimated_time"],
        "{taken}"
    );
    assert_eq!(
        (&taken["status"], id(&taken).len()),
        (&json!("pending"), 36),
        "{taken}"
    );
    assert!(taken["estimated_time"].as_u64() > Some(0), "{taken}");
    let task = reaches(&app, id(&taken), "completed").await;
    assert_eq!(
        (&task["progress"], &task["prompt"]),
        (&json!(100), &json!("一只可爱的猫咪"))
    );
    let params = json!({
        "negative_prompt": "模糊, 低质量", "width": 1024, "height": 1024, "num_images": 1, "steps": 20,
        "scale": 7.5,
    });
    assert_eq!(
        (&task["params"], &task["action"]),
        (&params, &json!("generate"))
    );
    assert!(
        task["created_at"].as_str().unwrap().ends_with('Z'),
        "{task}"
    );
    assert!(
        task["started_at"].is_string() && task["completed_at"].is_string(),
        "{task}"
    );
    let image = &task["images"][0];
    let url = format!("/api/v1/images/{}", image["image_id"].as_str().unwrap());
    assert_eq!(image["url"], url);
    assert_eq!(image["thumbnail_url"], format!("{url}/thumbnail"));
    assert_eq!(
        (&image["width"], &image["height"]),
        (&json!(1024), &json!(1024))
    );
    assert!(image["file_size"].as_u64() > Some(0), "{image}");
}

#[actix_rt::test]
async fn one_path_serves_two_apis() {
    let sim = Simulator::start();
    let app = volcano(&sim).await;
    let post = async |change: &[(&str, Value)]| {
        let mut body =
            json!({"model": "general_v2.0", "prompt": "a fox", "width": 512, "height": 512});
        for (name, value) in change {
            body[*name] = value.clone();
        }
        app.post("/api/v1/generate", &body).await
    };
    // a provider's prefix, or the word that it is not to be a task: the picture at once
    let prefixed = ("model", json!("volcengine/general_v2.0"));
    for change in [&[prefixed.clone()][..], &[("async", json!(false))]] {
        let answer = post(change).await;
        assert_eq!(answer.status, 200);
        assert!(answer.json().await["url"].is_string());
    }
    // the prefix, and the word that it is to be a job: as on every route
    let answer = post(&[prefixed, ("async", json!(true))]).await;
    assert_eq!(answer.status, 202);
    assert!(
        answer.json().await["id"]
            .as_str()
            .unwrap()
            .starts_with("job_")
    );
    assert_eq!(post(&[]).await.status, 201);
    // other providers' bare names: a task in the seed's words alone, and where one is wanted
    let demo = ("model", json!("demo-image"));
    let words = [
        demo.clone(),
        ("num_images", json!(1)),
        ("async", json!(true)),
    ];
    let told = refused(post(&words).await, 400, "validation_error").await;
    assert!(
        told["details"]["model"].is_array(),
        "there is no demo beside a provider: {told}"
    );
    let unknown = ("model", json!("nobody-has-this"));
    let refusal_of = post(&[unknown.clone(), ("num_images", json!(1))]).await;
    let told = refused(refusal_of, 400, "validation_error").await;
    assert!(told["details"]["model"].is_array(), "{told}");
    refusal(post(&[unknown]).await, 404, "model_not_found").await;
}

#[actix_rt::test]
async fn a_bare_name_in_the_seeds_words_is_a_task_where_one_is_wanted() {
    let app = App::builder().start().await;
    let mut body =
        json!({"model": "demo-image", "prompt": "a fox", "num_images": 2, "async": true});
    let answer = app.post("/api/v1/generate", &body).await;
    assert_eq!(answer.status, 201);
    let task = reaches(&app, id(&answer.json().await), "completed").await;
    assert_eq!(task["images"].as_array().unwrap().len(), 2, "{task}");
    body.as_object_mut().unwrap().remove("num_images");
    assert_eq!(app.post("/api/v1/generate", &body).await.status, 202);
}

#[actix_rt::test]
async fn a_task_is_known_by_both_forms_of_its_id_to_its_app_alone() {
    let app = App::builder().set("keys.refresh_ms", "100").start().await;
    let task = done(&app, &fox()).await;
    let job = format!("job_{}", id(&task).replace('-', ""));
    assert_eq!(look(&app, &job).await["task_id"], task["task_id"]);
    assert_eq!(app.get(&format!("/v1/jobs/{job}")).await.status, 200);
    let other = stranger(&app).await;
    let image = task["images"][0]["url"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/task/{}", id(&task));
    for path in [path.clone(), image.clone(), format!("{image}/thumbnail")] {
        refused(get_as(&app, &other, &path).await, 404, "not_found").await;
        let request = app.client().delete(app.url(&path)).bearer_auth(&other);
        let answer = Answer::of(request, None).await.unwrap();
        assert!(
            [404, 405].contains(&answer.status),
            "{path}: {}",
            answer.status
        );
    }
    for path in ["/api/v1/tasks", "/api/v1/history", "/api/v1/tags"] {
        let list = get_as(&app, &other, path).await.json().await;
        assert_eq!(list["items"], json!([]), "{path}");
    }
    assert_eq!(
        look(&app, &job).await["images"].as_array().unwrap().len(),
        1
    );
}

#[actix_rt::test]
async fn lists_are_filtered_and_go_on_from_page_to_page() {
    lists(App::builder().start().await).await;
}

#[actix_rt::test]
async fn lists_are_the_same_on_postgres() {
    let url = format!("{:?}", PostgresServer::shared().create_database());
    lists(
        App::builder()
            .set("storage.database_url", &url)
            .start()
            .await,
    )
    .await;
}

async fn lists(app: App) {
    let mut ids = Vec::new();
    for prompt in ["a red fox", "ein roter Fuchs", "一只红狐狸"] {
        let mut body = fox();
        body["prompt"] = prompt.into();
        body["tags"] = json!([format!("tag {}", ids.len() % 2)]);
        ids.push(id(&done(&app, &body).await).to_owned());
    }
    ids.reverse();
    let found = async |path: &str| {
        let list = app.get(path).await.json().await;
        let items = list["items"].as_array().unwrap_or_else(|| panic!("{list}"));
        let found: Vec<_> = items.iter().map(|task| id(task).to_owned()).collect();
        (found, list)
    };
    assert_eq!(found("/api/v1/tasks").await.0, ids);
    let (page, list) = found("/api/v1/tasks?limit=2&status=completed&model=demo/demo-image").await;
    assert_eq!(
        (page.as_slice(), list["next"].as_str()),
        (&ids[..2], Some(&*ids[1]))
    );
    let (page, list) = found(&format!("/api/v1/tasks?limit=2&after={}", ids[1])).await;
    assert_eq!((page.as_slice(), &list["next"]), (&ids[2..], &Value::Null));
    assert_eq!(found("/api/v1/tasks?status=failed").await.0, [""; 0]);
    let (page, list) = found("/api/v1/history").await;
    assert_eq!(
        (page, &list["total"], &list["limit"]),
        (ids.clone(), &json!(3), &json!(20))
    );
    let (page, list) = found("/api/v1/history?page=2&limit=2").await;
    assert_eq!((page.as_slice(), &list["page"]), (&ids[2..], &json!(2)));
    let (page, list) = found(&format!("/api/v1/history?limit=1&after={}", ids[0])).await;
    assert_eq!(
        (page.as_slice(), list["next"].as_str()),
        (&ids[1..2], Some(&*ids[1]))
    );
    assert_eq!(
        found("/api/v1/history?q=RED%20fox").await.0,
        [ids[2].clone()]
    );
    assert_eq!(
        found("/api/v1/history?q=%E7%BA%A2%E7%8B%90").await.0,
        [ids[0].clone()]
    );
    let (page, list) = found("/api/v1/history?tag=tag%200").await;
    assert_eq!(
        (page, &list["total"]),
        (vec![ids[0].clone(), ids[2].clone()], &json!(2))
    );
    let tags = app.get("/api/v1/tags").await.json().await;
    assert_eq!(
        tags["items"][0],
        json!({"name": "tag 0", "count": 2}),
        "{tags}"
    );
}

#[actix_rt::test]
async fn a_task_is_cancelled_while_it_runs_and_removed_once_it_is_over() {
    let sim = Simulator::start();
    let app = filming(&sim).await;
    let task = ordered(&app, &endless(&app, &sim).await).await;
    reaches(&app, id(&task), "processing").await;
    let path = format!("/api/v1/task/{}", id(&task));
    let answer = app.delete(&path).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().await["status"], "cancelled");
    assert_eq!(app.delete(&path).await.status, 204);
    refused(app.get(&path).await, 404, "not_found").await;
    refused(app.delete(&path).await, 404, "not_found").await;
}

#[actix_rt::test]
async fn what_is_removed_leaves_neither_row_nor_file() {
    let app = App::builder().start().await;
    let media = app.path("data/media");
    let files = || std::fs::read_dir(&media).map_or(0, |entries| entries.count());
    let before = files();
    let task = done(&app, &fox()).await;
    let thumbnail = task["images"][0]["thumbnail_url"].as_str().unwrap();
    assert_eq!(app.get(thumbnail).await.status, 200);
    assert!(files() > before);
    let path = format!("/api/v1/history/{}", id(&task));
    assert_eq!(app.delete(&path).await.status, 204);
    assert_eq!(files(), before);
    refused(app.delete(&path).await, 404, "not_found").await;
    refused(
        app.get(task["images"][0]["url"].as_str().unwrap()).await,
        404,
        "not_found",
    )
    .await;
    let history = app.get("/api/v1/history").await.json().await;
    assert_eq!(
        (&history["total"], &history["items"]),
        (&json!(0), &json!([]))
    );
}

#[actix_rt::test]
async fn jobs_are_counted() {
    let app = App::builder().start().await;
    done(&app, &fox()).await;
    eventually("the count", async || {
        let text = app.get("/metrics").await.text().await;
        let ended = text.contains("troupe_jobs_ended_total{state=\"completed\"} 1");
        (ended && text.contains("troupe_jobs_queued 0") && text.contains("troupe_jobs_running 0"))
            .then_some(())
    })
    .await;
}
