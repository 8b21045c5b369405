//! What the test at scale and the bench have in common: pictures like photographs, and a long table of jobs.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
};

use diesel::{QueryResult, connection::SimpleConnection as _};
use tempfile::TempDir;
use troupe_actors::{
    storage::{
        Connection, Database, Storage,
        config::StorageConfig,
        queries::{
            history::{self, From, HistoryFilter, HistoryPage},
            jobs::{self, JobFilter},
        },
    },
    supervision::{ChildSpec, Clock, RestartMetrics, SupervisionConfig, Tree},
};

/// A pixel of something with soft shades and some noise, as photographs have.
fn pixel(x: u32, y: u32) -> [u8; 3] {
    let noise = x
        .wrapping_mul(2_654_435_761)
        .wrapping_add(y.wrapping_mul(40_503))
        >> 24
        & 7;
    let wave = |step: f32, shift: f32| {
        ((x as f32 / step + shift).sin() + (y as f32 / step).cos()) * 55.0 + 120.0
    };
    [wave(311.0, 0.0), wave(173.0, 1.0), wave(97.0, 2.0)].map(|shade| shade as u8 + noise as u8)
}

/// One row of it, in RGB.
pub fn row(y: u32, side: u32) -> Vec<u8> {
    (0..side).flat_map(|x| pixel(x, y)).collect()
}

/// A PNG of so many pixels each way, written row by row.
pub fn png(side: u32) -> File {
    let file = tempfile::tempfile().expect("room on the disk");
    let mut encoder = png::Encoder::new(BufWriter::new(&file), side, side);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a header");
    let mut rows = writer.stream_writer().expect("a stream");
    for y in 0..side {
        rows.write_all(&row(y, side)).expect("a row");
    }
    rows.finish().expect("an end");
    drop(writer);
    file
}

/// The most memory that this process has had, in bytes.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel's account");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("VmHWM") << 10
}

/// A tree with a database and nothing else.
pub struct Shelf {
    tree: Tree,
    pub database: Database,
    _folder: TempDir,
}

impl Shelf {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().expect("room on the disk");
        let config = StorageConfig {
            database_url: format!("sqlite://{}/jobs.db", folder.path().display()),
            ..StorageConfig::default()
        };
        let (clock, metrics) = (Clock::system(), RestartMetrics::default());
        let tree = Tree::plant(SupervisionConfig::default(), clock, metrics, || ());
        let storage = config.clone();
        let spec = ChildSpec::new("storage/database", "storage", move || {
            Ok(Storage::new(storage.clone()))
        });
        let database = Database::new(tree.start(spec).await.expect("a database"), &config);
        Self {
            tree,
            database,
            _folder: folder,
        }
    }

    pub async fn close(self) {
        self.tree.stop().await;
    }
}

/// As many jobs as the table of a busy gateway has.
pub const MANY: u32 = 100_000;

/// So many of them are written at once.
const STEP: u32 = 5_000;

/// Fills the table of jobs, all but some of one app: every thousandth failed, and the oldest alone is of the model
/// `rare`. The others have a picture each; the oldest of these is of the model `early`, and tagged so.
pub async fn fill(database: &Database) {
    for first in (0..MANY).step_by(STEP as usize) {
        let filled = database.write(move |conn| fill_from(conn, first));
        filled.await.expect("room in the table");
    }
}

fn fill_from(conn: &mut Connection, first: u32) -> QueryResult<()> {
    let Connection::Sqlite(conn) = conn else {
        return Err(diesel::result::Error::NotFound);
    };
    let end = first + STEP;
    conn.batch_execute(&format!(
        "INSERT INTO jobs (id, app_id, call_id, model, provider, target, upstream_model, action, priority, state,
             revision, attempts, interruptions, draft, results, created_at, started_at, finished_at, prompt)
         WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {end})
         SELECT printf('job_%032x', n), CASE WHEN n % 10 = 9 THEN 'app-1' ELSE 'app-0' END, 'call',
             CASE n WHEN 0 THEN 'rare' WHEN 1 THEN 'early' ELSE 'acme/m' END, 'acme', 'acme/m', 'm', 'generate', 0,
             CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'completed' END, 2, 1, 0,
             '{{\"prompt\":\"' || hex(zeroblob(150)) || '\"}}', '{{\"results\":\"' || hex(zeroblob(100)) || '\"}}',
             n, n, n, CASE n WHEN 1 THEN 'the First fox' ELSE 'a red fox ' || n END
         FROM numbers;
         INSERT INTO images (id, job_id, app_id, position, name, mime, bytes, width, height, created_at)
         SELECT 'img_' || substr(id, 5), id, app_id, 0, id, 'image/png', 1, 1, 1, created_at
         FROM jobs WHERE created_at >= {first} AND state = 'completed';
         INSERT INTO user_tags (image_id, tag_name, created_at)
         SELECT id, CASE created_at WHEN 1 THEN 'early' ELSE 'all' END, created_at
         FROM images WHERE created_at >= {first}"
    ))
}

/// A page of a hundred of the app that has most of them.
pub async fn page(database: &Database, state: Option<&str>, model: Option<&str>) -> usize {
    let filter = JobFilter {
        app_id: Some("app-0".to_owned()),
        state: state.map(str::to_owned),
        model: model.map(str::to_owned),
        ..JobFilter::default()
    };
    let list = move |conn: &mut Connection| jobs::list(conn, &filter, None, 100);
    database.read(list).await.expect("a page").len()
}

/// What pages are asked for: a name, a state and a model, and how many there are.
pub const PAGES: [(&str, Option<&str>, Option<&str>, usize); 4] = [
    ("all", None, None, 100),
    ("by state", Some("failed"), None, 100),
    ("by model", None, Some("rare"), 1),
    ("by both", Some("failed"), Some("rare"), 1),
];

/// A page of a hundred of that app's history, with what is counted for it.
pub async fn history(
    database: &Database,
    [words, tag, model]: [Option<&str>; 3],
    begin: Begin,
) -> HistoryPage {
    let filter = HistoryFilter {
        app_id: "app-0".to_owned(),
        words: words.map(str::to_owned),
        tag: tag.map(str::to_owned),
        model: model.map(str::to_owned),
    };
    let read = move |conn: &mut Connection| match begin {
        Begin::Skip(most) => {
            history::total(conn, &filter)?;
            history::page(conn, &filter, &From::Skip(most), 100)
        }
        Begin::After(job) => {
            let after = From::After(format!("job_{job:032x}"));
            history::page(conn, &filter, &after, 100)
        }
    };
    database.read(read).await.expect("a page")
}

/// Where a page of the history begins.
#[derive(Clone, Copy)]
pub enum Begin {
    Skip(usize),
    /// After the job of that number.
    After(u32),
}

/// What is asked of a history: a name, the words, tag and model, and where the page begins; and how many it has, and
/// whether it says that more may follow.
pub type Asked = (
    &'static str,
    [Option<&'static str>; 3],
    Begin,
    (usize, bool),
);

const NEWEST: Begin = Begin::Skip(0);

/// What pages of the history are asked for. Words, tag and model of the oldest are found once one is far enough down.
pub const HISTORIES: [Asked; 13] = [
    ("first", [None; 3], NEWEST, (100, true)),
    ("deep", [None; 3], Begin::Skip(10_000), (100, true)),
    ("far down", [None; 3], Begin::After(1_000), (100, true)),
    ("all words", [Some("RED"), None, None], NEWEST, (100, true)),
    ("no words", [Some("wolf"), None, None], NEWEST, (0, true)),
    ("first words", [Some("first"), None, None], LOW, (1, false)),
    ("all tags", [None, Some("all"), None], NEWEST, (100, true)),
    ("no tag", [None, Some("none"), None], NEWEST, (0, true)),
    ("first tag", [None, Some("early"), None], LOW, (1, false)),
    ("a model", [None, None, Some("acme/m")], NEWEST, (100, true)),
    ("no model", [None, None, Some("none")], NEWEST, (0, true)),
    ("first model", [None, None, Some("early")], LOW, (1, false)),
    (
        "all",
        [Some("fox"), Some("all"), Some("acme/m")],
        NEWEST,
        (100, true),
    ),
];

const LOW: Begin = Begin::After(2_000);
