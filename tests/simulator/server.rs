//! The HTTP server: routes, sockets, and the thread that carries them in a test.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    rt::{System, net::TcpStream},
    web,
};

use crate::{
    anthropic, ark, chat, control, embeddings, gemini, gitee, grok, huggingface, images, models,
    modelscope, modelslab, openai, play::Socket, responses, script::Script, volcengine,
};

/// The largest request body.
const LARGEST_BODY: usize = 64 << 20;

/// A server on a bound socket. Runs when awaited inside an actix system.
///
/// # Errors
/// What the operating system says of the socket.
pub fn serve(listener: TcpListener, workers: usize, script: Script) -> io::Result<Server> {
    let script = web::Data::new(script);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::PayloadConfig::new(LARGEST_BODY))
            .app_data(script.clone())
            .route("/v1/chat/completions", web::post().to(chat::complete))
            .route("/v1/responses", web::post().to(responses::create))
            .route("/v1/messages", web::post().to(anthropic::create))
            .route(
                "/v1/messages/count_tokens",
                web::post().to(anthropic::count),
            )
            .route("/v1/embeddings", web::post().to(embeddings::create))
            .route("/v1/images/generations", web::post().to(images::generate))
            .route("/v1/models", web::get().to(models::list))
            .route("/v1/models/{id:.*}", web::get().to(models::one))
            .route("/v1beta/models", web::get().to(gemini::list))
            .configure(gemini::routes)
            .route("/v1beta/models/{id:.*}", web::get().to(gemini::one))
            .route("/v1beta/models/{call:.*}", web::post().to(gemini::generate))
            .configure(ark::routes)
            .configure(openai::routes)
            .configure(gitee::routes)
            .configure(grok::routes)
            .configure(huggingface::routes)
            .configure(modelscope::routes)
            .configure(modelslab::routes)
            .configure(volcengine::routes)
            .route(
                "/a4f/v1/images/generations",
                web::post().to(images::generate),
            )
            .route("/a4f/v1/chat/completions", web::post().to(chat::complete))
            .route("/files/{name}", web::get().to(images::linked))
            .route("/_sim/script", web::post().to(control::order))
            .route("/_sim/stats", web::get().to(control::stats))
            .route("/_sim/last", web::get().to(control::last))
            .route("/_sim/reset", web::post().to(control::reset))
    });
    Ok(server
        .workers(workers)
        .tcp_nodelay(true)
        // a client that closed is noticed at once, which is what the cancellation counts are for
        .h1_allow_half_closed(false)
        .keep_alive(Duration::from_secs(75))
        .on_connect(|connection, data| {
            let socket = connection.downcast_ref::<TcpStream>().map(Socket::of);
            if let Some(Ok(socket)) = socket {
                data.insert(Rc::new(socket));
            }
        })
        .disable_signals()
        .listen(listener)?
        .run())
}

/// A simulator on a thread of its own; stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    script: Script,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Simulator {
    /// Starts one on a free port of this machine.
    ///
    /// # Panics
    /// If the socket or the thread cannot be had; there is no test without them.
    #[must_use]
    pub fn start() -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into())
    }

    /// Starts one on a given address, such as that of one that was stopped.
    ///
    /// # Panics
    /// If the socket or the thread cannot be had.
    #[must_use]
    pub fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("the simulator's socket");
        let address = listener.local_addr().expect("the simulator's address");
        let script = Script::default();
        let (send, receive) = mpsc::channel();
        let scripted = script.clone();
        let thread = thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || {
                System::new().block_on(async move {
                    let server = serve(listener, 1, scripted)?;
                    // the other end waits below
                    let _ = send.send(server.handle());
                    server.await
                })
            })
            .expect("the simulator's thread");
        let handle = receive.recv().expect("the simulator's server");
        Self {
            address,
            script,
            handle,
            thread: Some(thread),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a provider's `base_url` is: with `/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What a Gemini provider's `base_url` is: with `/v1beta`.
    #[must_use]
    pub fn gemini_url(&self) -> String {
        format!("http://{}/v1beta", self.address)
    }

    /// What the `base_url` of a service of pictures is, such as `/gitee/v1`.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The control handle.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.script
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // the command is sent at the call; the future only waits for its end, as the join does
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            // a panic of the server has been printed already, and the test has failed by it
            let _ = thread.join();
        }
    }
}
