//! The listener, its limits, and the whole route table.

use std::{io, net::TcpListener, rc::Rc, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::{Condition, from_fn},
    web,
};

use super::{
    admin, chat, imagine, jobs,
    layers::{guard, nothing_here, unreadable},
    media, openai, ops, rate,
    repeats::Repeats,
    services::{Services, Worker},
    studio, webhooks,
};
use crate::{
    config::ServerConfig,
    pages::{self, status::Pulse},
};

/// Starts to serve on `listener`. Signals are the caller's affair.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(listener: TcpListener, services: Arc<Services>) -> io::Result<Server> {
    let config = services.config.clone();
    let workers = match config.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let app_services = services.clone();
    let server = HttpServer::new(move || app(app_services.clone()))
        .workers(workers)
        .max_connections(config.max_connections.div_ceil(workers))
        .keep_alive(Duration::from_secs(config.keep_alive_seconds))
        .client_request_timeout(Duration::from_millis(config.header_timeout_ms))
        .tcp_nodelay(true)
        // without it the handler and an idle stream live on after the client has gone
        .h1_allow_half_closed(false)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// Streams have ended by themselves when the server is stopped; this bounds what did not.
const SHUTDOWN_SECONDS: u64 = 5;

/// One HTTP thread's application.
fn app(
    services: Arc<Services>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let worker = Rc::new(Worker {
        recorder: Rc::new(services.spool.recorder()),
        services: services.clone(),
    });
    let config = &services.config;
    let cors = Condition::new(!config.cors_origins.is_empty(), cors(config));
    App::new()
        .app_data(worker)
        .app_data(web::Data::new(Pulse::of(&services)))
        .app_data(web::Data::new(services.sessions.clone()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| unreadable(&error)))
        .app_data(web::JsonConfig::default().error_handler(|error, _| unreadable(&error)))
        .configure(chat::routes)
        .configure(openai::routes)
        .configure(studio::routes)
        .configure(imagine::routes)
        .configure(jobs::routes)
        .configure(webhooks::routes)
        .configure(media::routes)
        .configure(ops::routes)
        .configure(admin::routes)
        .configure(pages::assets)
        .configure(pages::studio)
        .configure(admin::pages)
        .default_service(web::to(nothing_here))
        .wrap(Repeats)
        .wrap(cors)
        .wrap(from_fn(guard))
}

/// Browsers of the listed origins may call; a `*` lets any.
fn cors(config: &ServerConfig) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_any_header()
        .expose_headers([
            "x-request-id",
            "x-troupe-provider",
            "x-troupe-attempts",
            "x-troupe-overhead-ms",
            "x-troupe-dropped",
            "x-troupe-estimate",
            "x-troupe-job",
            "request-id",
            "x-troupe-deduplicated",
            "idempotent-replayed",
        ])
        .expose_headers([header::LOCATION, header::RETRY_AFTER])
        .expose_headers(rate::names())
        .max_age(3_600);
    if config.cors_origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin();
    }
    let origins = config.cors_origins.iter();
    origins.fold(cors, |cors, origin| cors.allowed_origin(origin))
}
