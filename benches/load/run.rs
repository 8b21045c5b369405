//! What all connections of a run share, and the one thing they do.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    client::{Connection, Exchange, Failure, Scratch, Target},
    totals::Totals,
};

/// Large enough that an image of a megabyte takes few reads.
const SCRATCH_BYTES: usize = 256 * 1024;

/// A target under load.
#[derive(Debug)]
pub struct Run {
    target: Target,
    scratch: Scratch,
    pub totals: Totals,
    first_bytes: Cell<usize>,
    announce_at: Option<usize>,
}

impl Run {
    /// With `announce_at`, a line `open` goes to standard output when so many answers have begun.
    pub fn new(target: Target, announce_at: Option<usize>) -> Self {
        Self {
            target,
            scratch: RefCell::new(vec![0; SCRATCH_BYTES]),
            totals: Totals::default(),
            first_bytes: Cell::new(0),
            announce_at,
        }
    }

    /// A new connection, or none if that failed.
    pub async fn connect(&self) -> Option<Connection> {
        match self.try_connect().await {
            Ok(connection) => Some(connection),
            Err(failure) => self.give_up(&failure).await,
        }
    }

    /// Sends one request that was due at `start`, counts how it went, and returns the connection if it can be used again.
    pub async fn request(
        &self,
        connection: Option<Connection>,
        start: Instant,
    ) -> Option<Connection> {
        match self.try_request(connection).await {
            Ok((connection, exchange)) => {
                self.totals.add(start, &exchange);
                (!exchange.closes).then_some(connection)
            }
            Err(failure) => self.give_up(&failure).await,
        }
    }

    async fn try_connect(&self) -> Result<Connection, Failure> {
        let connection = Connection::open(self.target.address).await?;
        self.totals.add_connection();
        Ok(connection)
    }

    async fn try_request(
        &self,
        connection: Option<Connection>,
    ) -> Result<(Connection, Exchange), Failure> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => self.try_connect().await?,
        };
        let exchange = connection
            .exchange(&self.target, &self.scratch, &self.totals.gaps, || {
                self.answer_began()
            })
            .await?;
        Ok((connection, exchange))
    }

    fn answer_began(&self) {
        self.first_bytes.set(self.first_bytes.get() + 1);
        if self.announce_at == Some(self.first_bytes.get()) {
            println!("open");
        }
    }

    /// Counts a failure. The pause keeps a target that refuses everything from making this a busy loop.
    async fn give_up(&self, failure: &Failure) -> Option<Connection> {
        self.totals.add_failure(failure);
        sleep(Duration::from_millis(5)).await;
        None
    }
}

#[cfg(test)]
mod tests {
    use std::{io, rc::Rc};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        runtime,
        task::{LocalSet, spawn_local, yield_now},
    };

    use super::*;
    use crate::closed::{self, Until};

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    /// Sends `requests` requests on one connection to a server that gives `answers` in turn, and returns the sums.
    /// An answer that says so, or that is cut, ends its connection.
    fn sums_of(answers: &'static [&'static str], stream: bool, requests: u64) -> Rc<Run> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let target = Target {
                address: listener.local_addr().unwrap(),
                request: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
                stream,
                min_events: 1,
            };
            spawn_local(serve(listener, answers));
            let run = Rc::new(Run::new(target, None));
            closed::run(
                run.clone(),
                1,
                Duration::ZERO,
                Until::Requests(Cell::new(requests)),
            )
            .await;
            run
        })
    }

    async fn serve(listener: TcpListener, answers: &[&str]) -> io::Result<()> {
        let mut answers = answers.iter().peekable();
        while answers.peek().is_some() {
            let (mut client, _) = listener.accept().await?;
            for answer in answers.by_ref() {
                let mut request = [0; 64];
                if client.read(&mut request).await? == 0 {
                    break;
                }
                send(&mut client, answer).await?;
                if answer.contains("connection: close") || !answer.ends_with(['}', '\n']) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// In small pieces, each of which may arrive by itself.
    async fn send(client: &mut TcpStream, answer: &str) -> io::Result<()> {
        client.set_nodelay(true)?;
        for piece in answer.as_bytes().chunks(7) {
            client.write_all(piece).await?;
            yield_now().await;
        }
        Ok(())
    }

    fn failures(run: &Run) -> Vec<String> {
        run.totals
            .counts
            .borrow()
            .failures
            .keys()
            .cloned()
            .collect()
    }

    #[test]
    fn a_connection_is_used_again_until_it_is_closed() {
        const CLOSING: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        let run = sums_of(&[OK, CLOSING, OK, OK], false, 4);
        let counts = run.totals.counts.borrow();
        assert_eq!(
            (counts.answers, counts.connections, counts.body_bytes),
            (4, 2, 8)
        );
        assert!(counts.failures.is_empty());
    }

    #[test]
    fn streams_are_counted_event_by_event() {
        const STREAM: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
            f\r\ndata: 1\n\ndata: \r\n\
            11\r\n2\n\ndata: [DONE]\n\n\r\n0\r\n\r\n";
        let run = sums_of(&[STREAM, STREAM], true, 2);
        assert_eq!(failures(&run), [""; 0]);
        let counts = run.totals.counts.borrow();
        assert_eq!((counts.answers, counts.events), (2, 6));
        let gaps: u64 = run
            .totals
            .gaps
            .borrow()
            .buckets_us()
            .map(|(_, count)| count)
            .sum();
        assert_eq!(gaps, 4);
    }

    #[test]
    fn wrong_answers_are_failures_and_no_figures() {
        const REFUSED: &str = "HTTP/1.1 429 No\r\ncontent-length: 2\r\n\r\n{}";
        const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{";
        const TEXT: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno";
        for (answer, failure) in [
            (&[REFUSED], "status 429"),
            (&[CUT], "answer cut by the end of the connection"),
            (&[TEXT], "json body without its end"),
        ] {
            let run = sums_of(answer, false, 1);
            assert_eq!(failures(&run), [failure]);
            assert_eq!(run.totals.counts.borrow().answers, 0);
            assert_eq!(run.totals.latency.borrow().buckets_us().count(), 0);
        }
    }
}
