//! The simulator as a program: the upstream of benches, and of tests in other languages.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener},
};

use clap::Parser;
use troupe_simulator::{Script, serve};

/// An upstream that speaks OpenAI, Anthropic and Gemini and misbehaves on demand
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 = any that is free
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// Threads that serve
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(arguments.listen)?;
    let address = listener.local_addr()?;
    let script = Script::default();
    // a bench must not pay for it; a test orders it with `POST /_sim/script {"keep": true}`
    script.keep_requests(false);
    let server = serve(listener, arguments.workers, script)?;
    // whoever started us reads the address from this line
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {address}")?;
    out.flush()?;
    drop(out);
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        if actix_web::rt::signal::ctrl_c().await.is_ok() {
            handle.stop(false).await;
        }
    });
    server.await
}
