//! How many files and sockets the process may have open at a time.
//!
//! The usual soft limit of 1024 is one for programs of another age; each may raise its own to the hard one.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A connection of a client has another to an upstream.
const PER_CONNECTION: u64 = 2;
/// What is open besides: the database, the spool, files of media, other connections.
const BESIDES: u64 = 256;

/// How many may be open when the gateway serves, that is, once [`raise`] was called; none = no limit.
#[must_use]
pub fn allowed() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// How many are open when all of `max_connections` are there, each with an upstream.
#[must_use]
pub fn needed(max_connections: usize) -> u64 {
    let connections = u64::try_from(max_connections).unwrap_or(u64::MAX);
    connections
        .saturating_mul(PER_CONNECTION)
        .saturating_add(BESIDES)
}

/// How many connections `allowed` is enough for.
#[must_use]
pub fn connections(allowed: u64) -> u64 {
    allowed.saturating_sub(BESIDES) / PER_CONNECTION
}

/// Raises the soft limit to the hard one, and warns when that is too little for `max_connections`.
pub fn raise(max_connections: usize) {
    if let Err(error) = raise_to_hard() {
        log::warn!("the limit of open files cannot be raised: {error}");
    }
    let needed = needed(max_connections);
    if let Some(limit) = getrlimit(Resource::Nofile).current
        && limit < needed
    {
        log::warn!(
            "{limit} files and sockets may be open, enough for {} connections; server.max_connections = \
             {max_connections} needs {needed}: raise the hard limit (LimitNOFILE= of systemd, ulimit -Hn), or lower it",
            connections(limit),
        );
    }
}

fn raise_to_hard() -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return Ok(());
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    Ok(setrlimit(Resource::Nofile, raised)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // one less harms no test beside this one
        let lower = Rlimit {
            current: maximum.map(|limit| limit - 1).or(Some(8_192)),
            maximum,
        };
        setrlimit(Resource::Nofile, lower).unwrap();
        raise(1);
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }

    #[test]
    fn each_connection_needs_two() {
        assert_eq!(needed(10_000), 20_256);
        assert_eq!(connections(20_256), 10_000);
        assert_eq!(connections(1_024), 384);
        assert_eq!(connections(10), 0);
    }
}
