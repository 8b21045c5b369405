//! The command line.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

use clap::{ArgGroup, Parser};

use crate::client::Target;

/// Puts load on an HTTP server of this machine and prints one line of JSON about it.
#[derive(Debug, Parser)]
#[command(group = ArgGroup::new("length").required(true).args(["seconds", "requests", "hold"]))]
pub struct Arguments {
    /// `http://127.0.0.1:8080`; only loopback addresses are accepted
    #[arg(long, value_parser = loopback)]
    pub url: SocketAddr,
    #[arg(long, default_value = "/")]
    path: String,
    /// The JSON to send with POST; without a body the request is a GET
    #[arg(long, conflicts_with = "body_file")]
    body: Option<String>,
    /// A file with the JSON to send
    #[arg(long, value_parser = file)]
    body_file: Option<FileText>,
    /// A header to add, `name: value`; may be given several times
    #[arg(long, value_parser = header)]
    header: Vec<String>,
    #[arg(long, default_value_t = 1)]
    pub connections: usize,
    /// Requests a second, open loop; without it each connection sends on as soon as it is answered
    #[arg(long, conflicts_with_all = ["requests", "hold"])]
    pub rate: Option<f64>,
    /// How long to send; what is under way then is still read
    #[arg(long)]
    pub seconds: Option<f64>,
    /// How many requests to send, over all connections
    #[arg(long)]
    pub requests: Option<u64>,
    /// One stream on each connection; prints `open` when all have begun, and reads them to their end
    #[arg(long, requires = "stream")]
    pub hold: bool,
    /// Spreads the first requests of the connections over so many milliseconds; closed loop only
    #[arg(long, default_value_t = 0, conflicts_with = "rate")]
    pub stagger_ms: u64,
    /// The answer is an event stream that ends with `data: [DONE]` or with `event: message_stop`
    #[arg(long)]
    stream: bool,
    /// The least events of a stream before its last one
    #[arg(long, default_value_t = 0, requires = "stream")]
    expect_events: u64,
    /// The most that the whole run may take, in seconds
    #[arg(long, default_value_t = 300.0)]
    pub timeout: f64,
}

/// What a file held. A type of its own, since clap reads `Vec` and `Option` in its own way.
#[derive(Debug, Clone)]
struct FileText(String);

impl Arguments {
    /// What to send and what to expect.
    pub fn target(&self) -> Target {
        let file = self.body_file.as_ref().map(|file| &file.0);
        Target {
            address: self.url,
            request: self.request(self.body.as_ref().or(file)),
            stream: self.stream,
            min_events: self.expect_events,
        }
    }

    fn request(&self, body: Option<&String>) -> Vec<u8> {
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut request = format!("{method} {} HTTP/1.1\r\nhost: {}\r\n", self.path, self.url);
        for header in &self.header {
            request.push_str(header);
            request.push_str("\r\n");
        }
        if let Some(body) = body {
            let length = body.len();
            request.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            ));
        } else {
            request.push_str("\r\n");
        }
        request.into_bytes()
    }
}

/// The address in `http://ADDRESS:PORT`, if it is on this machine.
fn loopback(url: &str) -> Result<SocketAddr, String> {
    let authority = url
        .strip_prefix("http://")
        .ok_or("a url that begins with http:// is needed")?
        .trim_end_matches('/');
    let address = match authority.strip_prefix("localhost:") {
        Some(port) => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().map_err(|_| "not a port")?))
        }
        None => authority
            .parse()
            .map_err(|_| "an address and a port are needed, such as 127.0.0.1:8080")?,
    };
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only loopback addresses: this tool is for servers on the same machine".to_owned())
    }
}

fn file(path: &str) -> Result<FileText, std::io::Error> {
    fs::read_to_string(path).map(FileText)
}

fn header(line: &str) -> Result<String, &'static str> {
    if line.contains(':') && !line.contains(['\r', '\n']) {
        Ok(line.to_owned())
    } else {
        Err("a header looks like `name: value`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_accepted() {
        for url in [
            "http://127.0.0.1:80",
            "http://127.9.9.9:1/",
            "http://[::1]:8080",
            "http://localhost:8080",
        ] {
            assert!(loopback(url).is_ok(), "{url}");
        }
        for url in [
            "http://192.0.2.1:80",
            "http://example.com:80",
            "http://localhost.example.com:80",
            "http://0.0.0.0:80",
            "https://127.0.0.1:443",
            "http://127.0.0.1",
            "127.0.0.1:80",
        ] {
            assert!(loopback(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_request_is_ready_to_be_written() {
        let arguments = Arguments::parse_from([
            "troupe-load",
            "--url=http://127.0.0.1:9",
            "--path=/v1/x",
            "--body={}",
            "--header=authorization: Bearer k",
            "--seconds=1",
        ]);
        let request = String::from_utf8(arguments.target().request).unwrap();
        assert_eq!(
            request,
            "POST /v1/x HTTP/1.1\r\nhost: 127.0.0.1:9\r\nauthorization: Bearer k\r\n\
             content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
        );
    }

    #[test]
    fn a_run_has_one_length() {
        let parse = |extra: &[&str]| {
            Arguments::try_parse_from(
                [&["troupe-load", "--url=http://127.0.0.1:9"], extra].concat(),
            )
        };
        assert!(parse(&["--seconds=1"]).is_ok());
        assert!(parse(&["--requests=1"]).is_ok());
        assert!(parse(&["--hold", "--stream"]).is_ok());
        assert!(parse(&[]).is_err());
        assert!(parse(&["--seconds=1", "--requests=1"]).is_err());
        assert!(parse(&["--rate=10", "--requests=1"]).is_err());
    }
}
