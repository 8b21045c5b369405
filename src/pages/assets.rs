//! Styles, scripts and icons, embedded in the binary. Each is served under a name that holds a hash of
//! its content, so browsers may keep it for good and never show an old one.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _, sync::LazyLock};

use actix_web::{HttpResponse, http::header, web};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "static/"]
struct Files;

/// A file as it is served.
struct Asset {
    content: Cow<'static, [u8]>,
    mime: &'static str,
}

/// All files by their hashed path, and the hashed path by the plain one.
struct Shelf {
    assets: HashMap<String, Asset>,
    addresses: HashMap<String, String>,
}

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let mut shelf = Shelf {
        assets: HashMap::new(),
        addresses: HashMap::new(),
    };
    for path in Files::iter() {
        let (Some(file), Some(mime)) = (Files::get(&path), mime(&path)) else {
            continue;
        };
        let hashed = hashed_path(&path, &file);
        shelf
            .addresses
            .insert(path.into_owned(), format!("/static/{hashed}"));
        let content = file.data;
        shelf.assets.insert(hashed, Asset { content, mime });
    }
    shelf
});

/// The address of an embedded file, such as `css/tokens.css`. Empty for one that does not exist, which
/// the page's test finds.
#[must_use]
pub fn address(path: &str) -> &'static str {
    SHELF.addresses.get(path).map_or("", String::as_str)
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
fn hashed_path(path: &str, file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
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
    use actix_web::{App, test};

    use super::*;

    #[actix_web::test]
    async fn a_file_is_served_under_its_hashed_name_for_good() {
        let app = App::new().route("/static/{path:.*}", web::get().to(serve));
        let app = test::init_service(app).await;
        let get = |path: &str| test::TestRequest::get().uri(path).to_request();

        let address = address("css/tokens.css");
        assert!(address.starts_with("/static/css/tokens.") && address.ends_with(".css"));
        let answer = test::call_service(&app, get(address)).await;
        assert_eq!(answer.status(), 200);
        let cache = answer.headers().get(header::CACHE_CONTROL).unwrap();
        assert!(cache.to_str().unwrap().contains("immutable"));
        let body = test::read_body(answer).await;
        assert!(body.starts_with(b"/* Every colour"));

        for unknown in [
            "/static/css/tokens.css",
            "/static/../Cargo.toml",
            "/static/",
        ] {
            assert_eq!(test::call_service(&app, get(unknown)).await.status(), 404);
        }
    }
}
