//! The studio's API: tasks, their history and pictures, and a WebSocket that tells of them as they go.
//!
//! Its words are those of seed 001, the VolcEngine image generator: a job is a task here, known by its UUID. Errors
//! are told in English or Chinese.
//!
//! | room | what it is for |
//! |---|---|
//! | [`generate`] | ordering, and which of two APIs `POST /api/v1/generate` means |
//! | [`wish`], [`check`] | a request's fields, and everything that is wrong with them |
//! | [`tasks`], [`history`], [`images`] | looking at what there is, and removing it |
//! | [`system`], [`quotas`] | how the gateway fares |
//! | [`socket`] | `/api/v1/generate/stream` |
//! | [`view`], [`refusal`], [`words`], [`ids`] | how all that is said |

mod check;
mod generate;
mod history;
mod ids;
mod images;
mod quotas;
pub mod refusal;
mod socket;
mod system;
mod tasks;
mod view;
mod wish;
mod words;

use std::path::PathBuf;

use actix_web::web;
use troupe_actors::{images::Images, supervision::clock::Monotonic};

use self::quotas::Quotas;
use super::{layers::resource, seats::Seats};
use crate::config::StudioConfig;

/// What these routes reach besides what all do.
pub struct Studio {
    pub config: StudioConfig,
    pub images: Images,
    pub seats: Seats,
    pub quotas: Quotas,
    /// Where data lie.
    pub folders: Vec<PathBuf>,
    /// When the gateway was started.
    pub began: Monotonic,
}

impl Studio {
    /// With nobody connected yet.
    pub fn new(
        config: &StudioConfig,
        images: Images,
        folders: Vec<PathBuf>,
        began: Monotonic,
    ) -> Self {
        Self {
            config: config.clone(),
            images,
            seats: Seats::new(config.sockets_per_app),
            quotas: Quotas::default(),
            folders,
            began,
        }
    }
}

/// `/api/v1/…` of the studio. Fixed routes stand before those with parameters.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/api/v1/generate").post(generate::generate))
        .service(resource("/api/v1/generate/stream").get(socket::open))
        .service(
            resource("/api/v1/tasks")
                .get(tasks::list)
                .post(generate::create),
        )
        .service(
            resource("/api/v1/task/{id}")
                .get(tasks::get)
                .delete(tasks::delete),
        )
        .service(resource("/api/v1/history").get(history::list))
        .service(resource("/api/v1/history/{id}").delete(history::delete))
        .service(
            resource("/api/v1/images/{id}")
                .get(images::file)
                .head(images::file)
                .delete(images::delete)
                .patch(images::amend),
        )
        .service(
            resource("/api/v1/images/{id}/thumbnail")
                .get(images::thumbnail)
                .head(images::thumbnail),
        )
        .service(resource("/api/v1/tags").get(images::tags))
        .service(resource("/api/v1/system/info").get(system::info))
        .service(resource("/api/v1/health").get(system::health));
}
