//! The pages: HTML from the server, usable before any script runs.
//!
//! | room | what it is for |
//! |---|---|
//! | [`frame`] | what is around every page: head, rail, top bar, security headers |
//! | [`status`] | the line at the foot of the admin's pages: this node at a glance |
//! | [`supervision`] | `/admin/supervision`: the tree, as it is now |
//! | [`studio`] | `/studio`: pictures and videos made, and those made before |
//! | [`language`], `messages/` | the words, English and Simplified Chinese |
//! | [`preferences`] | language and theme of a visitor |
//! | [`figures`] | numbers, spans and times as people read them |
//! | [`icons`] | line icons |
//! | [`assets`] | `/static/…`: styles, scripts, icons |

pub mod assets;
pub mod figures;
pub mod frame;
pub mod icons;
pub mod language;
pub mod preferences;
pub mod status;
pub mod studio;
pub mod supervision;

use actix_web::{
    middleware::Compress,
    web::{self, ServiceConfig},
};

use crate::http::layers::resource;

/// What anybody may load: styles, scripts, icons, and the way to the first page.
pub fn assets(config: &mut ServiceConfig) {
    config
        .service(
            resource("/static/{path:.*}")
                .get(assets::serve)
                .wrap(Compress::default()),
        )
        .service(web::redirect("/admin", "/admin/supervision"))
        .service(web::redirect("/admin/", "/admin/supervision"));
}

/// The studio, for who has an API key.
pub fn studio(config: &mut ServiceConfig) {
    config
        .service(web::redirect("/studio/", "/studio"))
        .service(
            resource("/studio")
                .get(studio::page)
                .wrap(Compress::default()),
        )
        .service(resource("/studio/session").post(studio::sign_in))
        .service(resource("/studio/session/end").post(studio::sign_out));
}

/// What only an admin may see. It needs `web::Data<Pulse>`.
pub fn admin(config: &mut ServiceConfig) {
    config
        .route("/admin/supervision", web::get().to(supervision::page))
        .route("/admin/supervision/tree", web::get().to(supervision::tree));
}
