//! Two hundred jobs, thirty kills: nothing that was acknowledged is lost, drawn for nothing, or charged twice.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use crate::support::{Answer, App, Provider, eventually};

const JOBS: usize = 200;
const KILLS: usize = 30;
/// Who draws, the model, where the orders are counted, and the price of a picture in millionths of a credit.
const WHO: [(&str, &str, &str, i64); 4] = [
    ("sync", "gpt-image-1", "gpt-image-1", 40_000),
    ("async", "z-image-turbo", "Tongyi-MAI/Z-Image-Turbo", 0),
    ("slow", "sim-drip-10ms", "sim-drip-10ms", 1),
    ("flaky", "dall-e-2", "dall-e-2", 2_500_000),
];

/// What is refused so often is asked again soon.
const POOL: &str = "{ fault_cooldown_ms = 1, max_cooldown_ms = 20, breaker_threshold = 1000 }";

/// Numbers that look random, the same for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

fn seed() -> u64 {
    let given = std::env::var("TROUPE_TEST_SEED").ok();
    given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| now.as_nanos() as u64)
    })
}

async fn start(sim: &Simulator) -> App {
    let token = |name: &str| format!("sk-of-the-{name}-one");
    let openai = |(name, model, _, price): (&str, &str, &str, i64)| {
        let price = format!("{}.{:06}", price / 1_000_000, price % 1_000_000);
        Provider::at(&sim.base_url())
            .name(name)
            .tokens(&[&token(name)])
            .with("pool", POOL)
            .model_table(&format!("{{ id = {model:?}, price = {price} }}"))
    };
    let tasks = Provider::at(&sim.at("/modelscope/v1"))
        .name("async")
        .kind("modelscope")
        .models_of_upstream()
        .tokens(&[&token("async")])
        .with("pool", POOL)
        .with("options", "{ poll_ms = 40 }");
    App::builder()
        .set("jobs.retry_ms", "20")
        .set("jobs.max_retry_ms", "100")
        .set("jobs.max_attempts", "20")
        .provider(openai(WHO[0]))
        .provider(tasks)
        .provider(openai(WHO[2]))
        .provider(openai(WHO[3]))
        .start()
        .await
}

fn order(number: usize) -> Value {
    let (name, model, ..) = WHO[number % WHO.len()];
    json!({"model": format!("{name}/{model}"), "prompt": format!("fox {number}"), "async": true})
}

/// Half of each provider's orders are sent with a key, and so may be sent again.
fn is_keyed(number: usize) -> bool {
    (number / WHO.len()).is_multiple_of(2)
}

/// The ids of those of the orders that were acknowledged.
async fn ordered(app: &App, numbers: &[usize]) -> Vec<(usize, String)> {
    let submissions = numbers.iter().map(|number| async move {
        let request = app.client().post(app.url("/api/v1/generate"));
        let mut request = request.bearer_auth(App::API_KEY);
        if is_keyed(*number) {
            request = request.insert_header(("idempotency-key", format!("fox-{number}")));
        }
        let answer = Answer::of(request, Some(&order(*number))).await;
        let answer = answer.ok().filter(|answer| answer.status == 202)?;
        let job: Value = serde_json::from_slice(&answer.try_bytes().await?).ok()?;
        Some((*number, job["id"].as_str()?.to_owned()))
    });
    join_all(submissions).await.into_iter().flatten().collect()
}

/// All jobs of the app, by their ids.
async fn all_jobs(app: &App) -> HashMap<String, Value> {
    let (mut jobs, mut after) = (HashMap::new(), String::new());
    loop {
        let page = app.get(&format!("/v1/jobs?limit=100{after}")).await;
        let page = page.json().await;
        for job in page["data"].as_array().unwrap() {
            jobs.insert(job["id"].as_str().unwrap().to_owned(), job.clone());
        }
        if page["has_more"] != true {
            return jobs;
        }
        after = format!("&after={}", page["last_id"].as_str().unwrap());
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
}

fn names(app: &App, table: &str) -> BTreeSet<String> {
    let file = app.path("data/troupe.db");
    let mut conn = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    let rows: Vec<Name> = sql_query(format!("SELECT name FROM {table}"))
        .load(&mut conn)
        .unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

fn files(app: &App) -> BTreeSet<String> {
    let entries = std::fs::read_dir(app.path("data/media")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[actix_rt::test]
async fn two_hundred_jobs_outlive_thirty_kills() {
    let seed = seed();
    println!("TROUPE_TEST_SEED={seed}");
    let mut dice = Dice(seed);
    let sim = Simulator::start();
    let faults = (0..60).map(|_| match dice.below(2) {
        0 => Behaviour::status(503),
        _ => Behaviour::Ok,
    });
    let faults: Vec<_> = faults.chain([Behaviour::Ok]).collect();
    sim.script().model("dall-e-2").answers(faults);
    let mut app = start(&sim).await;
    let mut open: Vec<usize> = (0..JOBS).collect();
    let mut ids: HashMap<usize, String> = HashMap::new();
    for round in 0..KILLS {
        let share = open.len().div_ceil(KILLS - round);
        let now: Vec<usize> = open.drain(..share).collect();
        let wait = Duration::from_millis(dice.below(250));
        let waited = json!({"model": "sync/gpt-image-1", "prompt": format!("waited {round}")});
        let work = join(
            ordered(&app, &now),
            app.try_post("/api/v1/generate", &waited),
        );
        let taken = actix_rt::time::timeout(wait, work).await;
        app.kill9();
        let taken = taken.map(|(taken, _)| taken).unwrap_or_default();
        // who was not answered asks again
        let lost = now
            .iter()
            .filter(|number| !taken.iter().any(|(known, _)| known == *number));
        open.extend(lost);
        app.restart().await;
        // who has a key may also ask again when he was answered
        let sure: Vec<usize> = taken.iter().map(|(number, _)| *number).collect();
        let sure: Vec<usize> = sure
            .into_iter()
            .filter(|number| is_keyed(*number))
            .collect();
        for (number, id) in ordered(&app, &sure).await {
            assert!(taken.contains(&(number, id)), "another job for {number}");
        }
        ids.extend(taken);
    }
    for (number, id) in ordered(&app, &open).await {
        ids.insert(number, id);
    }
    assert_eq!(ids.len(), JOBS);
    let jobs = eventually("the end of all jobs", async || {
        let jobs = all_jobs(&app).await;
        let ended = jobs.values().all(|job| !job["completed_at"].is_null());
        ended.then_some(jobs)
    })
    .await;
    for id in ids.values() {
        assert!(jobs.contains_key(id), "{id} is lost");
    }
    for job in jobs.values() {
        let interrupted = job["error"]["kind"] == "interrupted";
        assert!(job["status"] == "completed" || interrupted, "{job}");
    }
    keyed_orders_are_one_job_each(&app);
    submissions_are_what_the_jobs_say(&sim, &jobs);
    completed_jobs_are_charged_once(&app, &jobs).await;
    files_have_rows_and_rows_have_files(&app, &jobs).await;
}

fn keyed_orders_are_one_job_each(app: &App) {
    let file = app.path("data/troupe.db");
    let mut conn = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    let rows: Vec<Name> = sql_query("SELECT prompt AS name FROM jobs")
        .load(&mut conn)
        .unwrap();
    for number in (0..JOBS).filter(|number| is_keyed(*number)) {
        let prompt = format!("fox {number}");
        let jobs = rows.iter().filter(|row| row.name == prompt);
        assert_eq!(jobs.count(), 1, "{prompt}");
    }
}

/// Each attempt is one order at most, and each picture was ordered.
fn submissions_are_what_the_jobs_say(sim: &Simulator, jobs: &HashMap<String, Value>) {
    let stats = sim.script().stats();
    let tasks = stats.path("/modelscope/v1/images/generations");
    for (name, model, counted, _) in WHO {
        let own = jobs.values().filter(|job| job["provider"] == name);
        let own: Vec<&Value> = own.collect();
        let attempts: u64 = own.iter().filter_map(|job| job["attempts"].as_u64()).sum();
        let done = own
            .iter()
            .filter(|job| job["status"] == "completed")
            .count() as u64;
        let orders = if name == "async" {
            tasks
        } else {
            stats.model(counted)
        };
        assert!(
            (done..=attempts).contains(&orders),
            "{model}: {done} done, {orders} ordered, {attempts} attempts"
        );
    }
}

async fn completed_jobs_are_charged_once(app: &App, jobs: &HashMap<String, Value>) {
    let page = app.admin_get("/api/admin/charges?limit=500").await;
    let page = page.json().await;
    let charges = page["list"].as_array().unwrap();
    let charged: BTreeSet<&str> = charges
        .iter()
        .map(|charge| charge["job_id"].as_str().unwrap())
        .collect();
    let done = jobs.iter().filter(|(_, job)| job["status"] == "completed");
    let done: BTreeSet<&str> = done.map(|(id, _)| id.as_str()).collect();
    assert_eq!((charges.len(), &charged), (done.len(), &done));
    for charge in charges {
        let job = &jobs[charge["job_id"].as_str().unwrap()];
        let who = WHO.iter().find(|(name, ..)| job["provider"] == *name);
        assert_eq!(charge["micro_credits"], who.unwrap().3, "{charge}");
        assert_eq!(job["cost"]["micro_credits"], charge["micro_credits"]);
    }
}

async fn files_have_rows_and_rows_have_files(app: &App, jobs: &HashMap<String, Value>) {
    // what the last kill left half-way is settled at the start
    let parts = |name: &String| name.starts_with('.');
    eventually("the folder is settled", async || {
        (!files(app).iter().any(parts)).then_some(())
    })
    .await;
    let (files, rows) = (files(app), names(app, "media"));
    let without_row: Vec<_> = files.difference(&rows).collect();
    let without_file: Vec<_> = rows.difference(&files).collect();
    assert!(
        without_row.is_empty() && without_file.is_empty(),
        "files without a row: {without_row:?}, rows without a file: {without_file:?}"
    );
    let done = jobs.values().filter(|job| job["status"] == "completed");
    let made: BTreeSet<String> = done
        .flat_map(|job| job["results"].as_array().unwrap())
        .filter_map(|result| Some(result["url"].as_str()?.rsplit('/').next()?.to_owned()))
        .collect();
    assert_eq!(names(app, "images"), made);
    assert!(made.is_subset(&files));
}
