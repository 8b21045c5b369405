//! The pages: HTML from the server, usable before any script runs.
//!
//! | room | what it is for |
//! |---|---|
//! | [`frame`] | what is around every page: head, top bar, security headers |
//! | [`supervision`] | `/admin/supervision`: the tree, as it is now |
//! | [`language`], `messages/` | the words, English and Simplified Chinese |
//! | [`preferences`] | language and theme of a visitor |
//! | [`figures`] | numbers, spans and times as people read them |
//! | [`assets`] | `/static/…`: styles, scripts, icons |

pub mod assets;
pub mod figures;
pub mod frame;
pub mod language;
pub mod preferences;
pub mod supervision;

use actix_web::web::{self, ServiceConfig};

/// All routes of the pages. They need `web::Data<Tree>`.
pub fn routes(config: &mut ServiceConfig) {
    assets(config);
    admin(config);
}

/// What anybody may load: styles, scripts, icons, and the way to the first page.
pub fn assets(config: &mut ServiceConfig) {
    config
        .route("/static/{path:.*}", web::get().to(assets::serve))
        .service(web::redirect("/admin", "/admin/supervision"))
        .service(web::redirect("/admin/", "/admin/supervision"));
}

/// What only an admin may see.
pub fn admin(config: &mut ServiceConfig) {
    config
        .route("/admin/supervision", web::get().to(supervision::page))
        .route("/admin/supervision/tree", web::get().to(supervision::tree));
}
