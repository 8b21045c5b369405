//! A receiver of webhooks on a real socket.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use crate::support::eventually;

/// What came, and what is answered.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    mood: Mood,
    got: Vec<Message>,
    /// Connections that get no answer.
    kept: Vec<TcpStream>,
}

#[derive(Debug, Clone, Default)]
pub enum Mood {
    #[default]
    Takes,
    /// Answers with this status line and headers.
    Says(&'static str),
    Hangs,
}

/// A request as it came; names of headers in lower case.
#[derive(Debug, Clone, Default)]
pub struct Message {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Message {
    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("messages are JSON")
    }
}

impl Receiver {
    /// Listens until the test ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        // ends with the process of the test
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on it answers so.
    pub fn set(&self, mood: Mood) {
        let mut state = self.state.lock().unwrap();
        state.mood = mood;
        state.kept.clear();
    }

    /// All that came so far.
    pub fn got(&self) -> Vec<Message> {
        self.state.lock().unwrap().got.clone()
    }

    /// What came as soon as there is so much.
    pub async fn once(&self, count: usize) -> Vec<Message> {
        eventually(&format!("{count} messages"), async || {
            Some(self.got()).filter(|got| got.len() >= count)
        })
        .await
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(message) = read(&stream) else {
        return;
    };
    let mut state = state.lock().unwrap();
    state.got.push(message);
    let head = match state.mood {
        Mood::Takes => "204 No Content",
        Mood::Says(head) => head,
        Mood::Hangs => return state.kept.push(stream),
    };
    // one that has gone is no failure of the receiver
    let _ = write!(
        stream,
        "HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
}

fn read(stream: &TcpStream) -> Option<Message> {
    let mut lines = BufReader::new(stream);
    let mut message = Message::default();
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    line.split(' ').nth(1)?.clone_into(&mut message.path);
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        let name = name.to_lowercase();
        message.headers.insert(name, value.to_owned());
    }
    let length = message.header("content-length").parse().ok()?;
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    message.body = String::from_utf8(body).ok()?;
    Some(message)
}
