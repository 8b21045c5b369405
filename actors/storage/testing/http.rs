//! A small HTTP/1.1 server on a free port of the loopback interface, which can freeze and break off.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
};

/// A request as it came.
#[derive(Debug, Default)]
pub struct Request {
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Takes requests and does not answer, until it is well again.
    Frozen,
    /// Breaks off every connection at once.
    Down,
}

/// A running server; it ends when dropped.
pub struct HttpServer {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Reply + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    mood: Mood,
    ended: bool,
    open: Vec<TcpStream>,
}

impl HttpServer {
    /// Starts one; `answer` is asked by a thread for each connection.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            state: Mutex::new(State {
                mood: Mood::Well,
                ended: false,
                open: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let accepting = shared.clone();
        Self {
            port,
            shared,
            acceptor: Some(thread::spawn(move || accept(&listener, &accepting))),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, mood: Mood) {
        self.change(|state| state.mood = mood);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.shared.state.lock().unwrap();
        change(&mut state);
        if state.ended || state.mood == Mood::Down {
            for stream in state.open.drain(..) {
                // an error means that the other side was quicker
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.change(|state| state.ended = true);
        // wakes the acceptor
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.acceptor.take().unwrap().join().unwrap();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    for stream in listener.incoming() {
        let stream = stream.unwrap();
        let mut state = shared.state.lock().unwrap();
        if state.ended {
            break;
        }
        if state.mood == Mood::Down {
            continue;
        }
        state.open.push(stream.try_clone().unwrap());
        let shared = shared.clone();
        connections.push(thread::spawn(move || serve(stream, &shared)));
    }
    for connection in connections {
        connection.join().unwrap();
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(request) = read(&mut reader) {
        let state = shared.state.lock().unwrap();
        let waits = |state: &mut State| state.mood == Mood::Frozen && !state.ended;
        drop(shared.changed.wait_while(state, waits).unwrap());
        let reply = (shared.answer)(&request);
        if write(&mut writer, &reply).is_err() {
            break;
        }
    }
}

/// The next request; nothing if the client has gone.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let mut request = Request {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        ..Request::default()
    };
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        request.headers.push(header);
    }
    let length = request.header("content-length");
    request.body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}

fn write(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut bytes = format!("HTTP/1.1 {} -\r\n", reply.status).into_bytes();
    for (name, value) in &reply.headers {
        write!(bytes, "{name}: {value}\r\n")?;
    }
    write!(bytes, "content-length: {}\r\n\r\n", reply.body.len())?;
    bytes.extend_from_slice(&reply.body);
    stream.write_all(&bytes)
}
