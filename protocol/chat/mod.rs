//! The intermediate form of chat, between any two dialects.
//!
//! A request is read into a [`ChatRequest`] by its own dialect and written from it by the upstream's;
//! an answer comes back as a [`ChatAnswer`], a stream as [`ChatEvent`]s. The form holds what at least
//! two dialects can say. What only one knows is noted as lost when it crosses ([`Losses`]), or refused
//! where the answer would not be the one that was asked for. The same dialect in and out never comes
//! here: its bytes pass through.
//!
//! | file | what |
//! |---|---|
//! | `request`, `settings`, `tools` | a request |
//! | `content` | messages and their parts, of requests and answers |
//! | `answer`, `event` | what comes back, whole and in pieces |
//! | `seal` | signatures and encrypted thoughts, told apart by who made them |
//! | `free_text` | custom tools where they must be offered as functions |
//! | `loss` | what the target could not say, or must not leave out |
//! | `call_queue` | tool calls of a stream, one after the other whatever order their pieces come in |
//! | `pieces` | what of a request costs tokens |
//! | `stream` | what every dialect's reader and writer of streams looks like |
//! | `collect` | a whole answer made a stream, and the other way round |

pub mod answer;
pub mod call_queue;
pub mod collect;
pub mod content;
pub mod event;
pub(crate) mod free_text;
pub mod loss;
pub mod pieces;
pub mod request;
pub mod seal;
pub mod settings;
pub mod stream;
pub mod tools;

pub use self::{
    answer::{ChatAnswer, Stop},
    content::{Cache, Document, Image, Message, Part, PartBody, Role, Source, Thinking},
    event::{Block, ChatEvent},
    loss::{ConvertError, Losses},
    pieces::Pieces,
    request::{ChatRequest, Encoded, Encoding},
    seal::Seal,
    settings::{Effort, Format, Reasoning, Sampling},
    stream::{ReadEvents, Reply, StreamFault, WriteEvents},
    tools::{Tool, ToolCall, ToolChoice, ToolNames, ToolResult},
};
