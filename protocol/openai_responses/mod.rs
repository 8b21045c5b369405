//! OpenAI's `/v1/responses`: its shapes, and the way into the intermediate form of chat and out of it.
//!
//! | file | what |
//! |---|---|
//! | `request` | a client's request, read |
//! | `encode` | a request, written for an upstream |
//! | `answer` | a whole answer, read and written |
//! | `stream` | a stream, read and written |
//! | `item`, `failure` | output items and errors as upstreams send them |
//! | `watch` | what a stream that passes through has shown |
//! | `history`, `echo` | what a gateway that stores answers must know of requests |

mod answer;
pub mod echo;
mod encode;
mod failure;
pub mod history;
mod item;
mod request;
mod stream;
mod watch;

pub use self::{
    answer::{read_answer, read_failure, write_answer},
    echo::echo,
    encode::write_request,
    request::read_request,
    stream::{EventReader, EventWriter},
    watch::watch,
};

#[cfg(test)]
mod tests;
