//! An object store that speaks S3 over real sockets, as far as a client that stores, reads and removes objects
//! needs it: whole and in parts, with ranges. Requests must be signed (the form of the signature is checked, not
//! its value).

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::{Method, StatusCode, header},
    rt::System,
    web::{self, Bytes},
};
use serde::Deserialize;

/// A store with one bucket on a thread of its own; stops when dropped.
#[derive(Debug)]
pub struct S3 {
    address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// By `/bucket/key`.
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    requests: Vec<String>,
    refuse: bool,
}

/// In parts, under way.
#[derive(Debug)]
struct Upload {
    mime: String,
    parts: BTreeMap<u32, Bytes>,
}

#[derive(Debug, Clone)]
struct Object {
    bytes: Bytes,
    mime: String,
}

/// The largest part or object sent at once.
const LARGEST_BODY: usize = 16 << 20;

impl S3 {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let (data, (tell, told)) = (web::Data::from(shelf.clone()), mpsc::channel());
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(web::PayloadConfig::new(LARGEST_BODY))
                        .app_data(data.clone())
                        .default_service(web::to(answer))
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .listen(listener)?;
                let server = server.run();
                // nobody waits for it when the test is over already
                let _ = tell.send(server.handle());
                server.await
            })
        });
        Self {
            address,
            shelf,
            handle: told.recv().expect("it runs"),
            thread: Some(thread),
        }
    }

    /// For the gateway's configuration, keys included.
    #[must_use]
    pub fn media_url(&self, bucket_and_prefix: &str) -> String {
        let address = self.address;
        format!(
            "s3://{bucket_and_prefix}?endpoint=http://{address}&access_key=sim-access&secret_key=sim-secret"
        )
    }

    /// The objects' keys with the bucket's name in front, and their sizes.
    #[must_use]
    pub fn objects(&self) -> Vec<(String, usize)> {
        let shelf = lock(&self.shelf);
        let objects = shelf.objects.iter();
        objects
            .map(|(key, object)| (key.clone(), object.bytes.len()))
            .collect()
    }

    /// Puts an object there that nobody has sent.
    pub fn place(&self, key: &str, bytes: impl Into<Bytes>) {
        let (bytes, mime) = (bytes.into(), String::new());
        lock(&self.shelf)
            .objects
            .insert(key.to_owned(), Object { bytes, mime });
    }

    /// Takes an object away.
    pub fn lose(&self, key: &str) {
        lock(&self.shelf).objects.remove(key);
    }

    /// An object's content type.
    #[must_use]
    pub fn mime(&self, key: &str) -> Option<String> {
        Some(lock(&self.shelf).objects.get(key)?.mime.clone())
    }

    /// Method and target of each request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.shelf).requests.clone()
    }

    /// From now on every request is refused, or none.
    pub fn refuse(&self, refuse: bool) {
        lock(&self.shelf).refuse = refuse;
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // the command is sent at the call; the future only waits for its end, as the join does
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            // what it said before it ended is of no use any more
            let _ = thread.join();
        }
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    uploads: Option<String>,
    upload_id: Option<String>,
    part_number: Option<u32>,
    #[serde(rename = "list-type")]
    list_type: Option<u8>,
    prefix: Option<String>,
}

async fn answer(
    request: HttpRequest,
    query: web::Query<Query>,
    shelf: web::Data<Mutex<Shelf>>,
    body: Bytes,
) -> HttpResponse {
    let mut shelf = lock(&shelf);
    shelf
        .requests
        .push(format!("{} {}", request.method(), request.uri()));
    if shelf.refuse || !is_signed(&request) {
        return error(StatusCode::FORBIDDEN, "AccessDenied");
    }
    let key = request.path().to_owned();
    let query = query.into_inner();
    match (request.method(), query.upload_id) {
        (&Method::POST, None) if query.uploads.is_some() => begin(&mut shelf, mime(&request)),
        (&Method::PUT, Some(id)) => part(&mut shelf, &id, query.part_number, body),
        (&Method::POST, Some(id)) => complete(&mut shelf, &id, key),
        (&Method::DELETE, Some(id)) => {
            shelf.uploads.remove(&id);
            HttpResponse::NoContent().finish()
        }
        (&Method::PUT, None) => {
            let tag = tag(&body);
            let mime = mime(&request);
            shelf.objects.insert(key, Object { bytes: body, mime });
            HttpResponse::Ok()
                .insert_header((header::ETAG, tag))
                .finish()
        }
        (&Method::GET, None) if query.list_type == Some(2) => {
            list(&shelf, &key, &query.prefix.unwrap_or_default())
        }
        (&Method::GET | &Method::HEAD, None) => read(&shelf, &key, &request),
        (&Method::DELETE, None) => {
            shelf.objects.remove(&key);
            HttpResponse::NoContent().finish()
        }
        _ => error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
    }
}

/// That there is a signature of version 4 over what must be signed, by the right key, for the store's region.
fn is_signed(request: &HttpRequest) -> bool {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let Some(signed) =
        header("authorization").and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256 "))
    else {
        return false;
    };
    let field = |name: &str| {
        signed
            .split(", ")
            .find_map(|field| field.strip_prefix(name))
    };
    let scope = field("Credential=sim-access/").unwrap_or_default();
    let headers: Vec<&str> = field("SignedHeaders=")
        .unwrap_or_default()
        .split(';')
        .collect();
    let signature = field("Signature=").unwrap_or_default();
    scope.ends_with("/us-east-1/s3/aws4_request")
        && ["host", "x-amz-content-sha256", "x-amz-date"]
            .iter()
            .all(|name| headers.contains(name))
        && signature.len() == 64
        && header("x-amz-date").is_some_and(|date| scope.starts_with(&date[..8]))
}

fn mime(request: &HttpRequest) -> String {
    let mime = request.headers().get(header::CONTENT_TYPE);
    let mime = mime.and_then(|mime| mime.to_str().ok());
    mime.unwrap_or_default().to_owned()
}

/// What the object is, is told when its upload begins.
fn begin(shelf: &mut Shelf, mime: String) -> HttpResponse {
    let id = format!("upload-{}", shelf.requests.len());
    let parts = BTreeMap::new();
    shelf.uploads.insert(id.clone(), Upload { mime, parts });
    xml(format!(
        "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
    ))
}

fn part(shelf: &mut Shelf, id: &str, number: Option<u32>, body: Bytes) -> HttpResponse {
    let (Some(upload), Some(number)) = (shelf.uploads.get_mut(id), number) else {
        return error(StatusCode::NOT_FOUND, "NoSuchUpload");
    };
    let tag = tag(&body);
    upload.parts.insert(number, body);
    HttpResponse::Ok()
        .insert_header((header::ETAG, tag))
        .finish()
}

/// Parts but the last have 5 MiB at least, as with the real store.
fn complete(shelf: &mut Shelf, id: &str, key: String) -> HttpResponse {
    let Some(upload) = shelf.uploads.remove(id) else {
        return error(StatusCode::NOT_FOUND, "NoSuchUpload");
    };
    let parts: Vec<Bytes> = upload.parts.into_values().collect();
    let but_last = parts.len().saturating_sub(1);
    if parts.iter().take(but_last).any(|part| part.len() < 5 << 20) {
        return error(StatusCode::BAD_REQUEST, "EntityTooSmall");
    }
    let bytes = Bytes::from(parts.concat());
    let tag = tag(&bytes);
    let mime = upload.mime;
    shelf.objects.insert(key, Object { bytes, mime });
    xml(format!(
        "<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
    ))
}

/// All at once: the real store gives a thousand at a time.
fn list(shelf: &Shelf, bucket: &str, prefix: &str) -> HttpResponse {
    let bucket = format!("{}/", bucket.trim_end_matches('/'));
    let objects = shelf.objects.iter();
    let listed = objects.filter_map(|(path, object)| {
        let key = path.strip_prefix(&bucket)?;
        let (size, tag) = (object.bytes.len(), tag(&object.bytes));
        let tag = tag.trim_matches('"');
        key.starts_with(prefix).then(|| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>{STORED_AT}</LastModified><ETag>{tag}</ETag>\
                 <Size>{size}</Size></Contents>"
            )
        })
    });
    let listed: String = listed.collect();
    xml(format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>"
    ))
}

/// When all objects were stored, as lists say it.
const STORED_AT: &str = "2026-01-01T00:00:00.000Z";

fn read(shelf: &Shelf, key: &str, request: &HttpRequest) -> HttpResponse {
    let Some(object) = shelf.objects.get(key) else {
        return error(StatusCode::NOT_FOUND, "NoSuchKey");
    };
    let length = object.bytes.len();
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::ETAG, tag(&object.bytes)))
        .insert_header((header::LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT"))
        .insert_header((header::CONTENT_TYPE, object.mime.as_str()));
    match range(request, length) {
        None => response.body(object.bytes.clone()),
        Some(range) => {
            let (first, last) = (range.start, range.end - 1);
            response.insert_header((
                header::CONTENT_RANGE,
                format!("bytes {first}-{last}/{length}"),
            ));
            response
                .status(StatusCode::PARTIAL_CONTENT)
                .body(object.bytes.slice(range))
        }
    }
}

fn range(request: &HttpRequest, length: usize) -> Option<Range<usize>> {
    let text = request.headers().get(header::RANGE)?.to_str().ok()?;
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = last
        .parse::<usize>()
        .map_or(length, |last| (last + 1).min(length));
    Some(first.parse().ok()?..end)
}

fn tag(bytes: &Bytes) -> String {
    format!("\"{}\"", crate::fingerprint(bytes))
}

fn xml(body: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/xml")
        .body(body)
}

fn error(status: StatusCode, code: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/xml")
        .body(format!(
            "<Error><Code>{code}</Code><Message>the simulator says so</Message></Error>"
        ))
}
