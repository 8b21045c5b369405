//! Styles, scripts and icons, embedded in the binary. Each is served under a name that holds a hash of
//! its content, so browsers may keep it for good and never show an old one.
//!
//! Scripts are modules that import each other by their plain names (`from "./socket.js"`); they are served with the
//! hashed ones in place, so a module's name changes with those that it imports. They import in one direction only.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _, sync::LazyLock};

use actix_web::{HttpResponse, http::header, web};
use rust_embed::Embed;
use sha2::{Digest as _, Sha256};

#[derive(Embed)]
#[folder = "static/"]
struct Files;

/// A file as it is served.
struct Asset {
    content: Cow<'static, [u8]>,
    mime: &'static str,
}

/// All files by their hashed path.
#[derive(Default)]
struct Shelf {
    assets: HashMap<String, Asset>,
    /// The address of each plain path; empty while its imports are being placed.
    addresses: HashMap<String, String>,
    /// The plain paths that each script imports.
    imports: HashMap<String, Vec<String>>,
}

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let mut shelf = Shelf::default();
    for path in Files::iter() {
        shelf.place(&path);
    }
    shelf
});

/// The address of an embedded file, such as `css/tokens.css`. Empty for one that does not exist, which
/// the page's test finds.
#[must_use]
pub fn address(path: &str) -> &'static str {
    SHELF.addresses.get(path).map_or("", String::as_str)
}

/// The addresses of all modules that a script needs, so that a browser may fetch them at once.
#[must_use]
pub fn imports(script: &str) -> Vec<&'static str> {
    let mut needed: Vec<&str> = Vec::new();
    let mut next = vec![script];
    while let Some(path) = next.pop() {
        for import in SHELF.imports.get(path).into_iter().flatten() {
            if !needed.contains(&import.as_str()) {
                needed.push(import);
                next.push(import);
            }
        }
    }
    needed.into_iter().map(address).collect()
}

impl Shelf {
    /// Puts a file on the shelf, those that it imports first, and tells its address.
    fn place(&mut self, path: &str) -> String {
        if let Some(address) = self.addresses.get(path) {
            return address.clone();
        }
        let (Some(file), Some(mime)) = (Files::get(path), mime(path)) else {
            return String::new();
        };
        self.addresses.insert(path.to_owned(), String::new());
        let content = match std::str::from_utf8(&file.data) {
            Ok(text) if path.ends_with(".js") => self.link(path, text).into_bytes().into(),
            _ => file.data,
        };
        let hashed = hashed_path(path, &content);
        let address = format!("/static/{hashed}");
        self.addresses.insert(path.to_owned(), address.clone());
        self.assets.insert(hashed, Asset { content, mime });
        address
    }

    /// A script with the addresses of what it imports in place of their names.
    fn link(&mut self, path: &str, text: &str) -> String {
        const IMPORT: &str = "from \"./";
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut pieces = text.split(IMPORT);
        let mut linked = pieces.next().unwrap_or_default().to_owned();
        let mut imports = Vec::new();
        for piece in pieces {
            let (name, rest) = piece.split_once('"').unwrap_or((piece, ""));
            let import = format!("{folder}/{name}");
            // writing to a String cannot fail
            let _ = write!(linked, "from \"{}\"{rest}", self.place(&import));
            imports.push(import);
        }
        self.imports.insert(path.to_owned(), imports);
        linked
    }
}

/// `GET /static/{path}`
pub async fn serve(path: web::Path<String>) -> HttpResponse {
    match SHELF.assets.get(path.as_str()) {
        Some(asset) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, asset.mime))
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(match &asset.content {
                Cow::Borrowed(content) => web::Bytes::from_static(content),
                Cow::Owned(content) => web::Bytes::copy_from_slice(content),
            }),
        None => HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("no such file; reload the page that asked for it"),
    }
}

/// `css/tokens.css` → `css/tokens.0123456789ab.css`
fn hashed_path(path: &str, content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let digits = hash[..6].iter().fold(String::new(), |mut digits, byte| {
        // writing to a String cannot fail
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    match path.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}.{digits}.{ending}"),
        None => format!("{path}.{digits}"),
    }
}

/// Other files (notes, licences) are not served.
fn mime(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, test as client};

    use super::*;

    #[actix_web::test]
    async fn a_file_is_served_under_its_hashed_name_for_good() {
        let app = App::new().route("/static/{path:.*}", web::get().to(serve));
        let app = client::init_service(app).await;
        let get = |path: &str| client::TestRequest::get().uri(path).to_request();

        let address = address("css/tokens.css");
        assert!(address.starts_with("/static/css/tokens.") && address.ends_with(".css"));
        let answer = client::call_service(&app, get(address)).await;
        assert_eq!(answer.status(), 200);
        let cache = answer.headers().get(header::CACHE_CONTROL).unwrap();
        assert!(cache.to_str().unwrap().contains("immutable"));
        let body = client::read_body(answer).await;
        assert!(body.starts_with(b"/* Every colour"));

        for unknown in [
            "/static/css/tokens.css",
            "/static/../Cargo.toml",
            "/static/",
        ] {
            assert_eq!(client::call_service(&app, get(unknown)).await.status(), 404);
        }
    }

    #[test]
    fn scripts_import_each_other_by_their_hashed_names() {
        let scripts = SHELF
            .assets
            .iter()
            .filter(|(path, _)| path.ends_with(".js"));
        let mut seen = 0;
        for (path, asset) in scripts {
            let text = std::str::from_utf8(&asset.content).unwrap();
            for import in text.split("from \"").skip(1) {
                let import = import.split('"').next().unwrap();
                let served = import.strip_prefix("/static/").unwrap_or_default();
                assert!(SHELF.assets.contains_key(served), "{path} imports {import}");
                seen += 1;
            }
        }
        assert!(seen > 5);
    }

    #[test]
    fn a_pages_scripts_stay_small() {
        // before compression, which takes two thirds of it away
        const MOST: usize = 60 << 10;
        for script in ["js/studio.js", "js/supervision.js"] {
            let all = imports(script).into_iter().chain([address(script)]);
            let bytes = all.map(|address| {
                let served = address.strip_prefix("/static/").unwrap();
                SHELF.assets[served].content.len()
            });
            let bytes: usize = bytes.sum();
            assert!(bytes < MOST, "{script}: {bytes} bytes");
        }
    }
}
