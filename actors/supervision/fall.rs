//! Why an actor went down: the reason, and the panic's message and place.

use std::{
    any::Any,
    cell::RefCell,
    fmt::Write as _,
    panic::{self, PanicHookInfo},
    sync::Once,
};

use derive_more::Display;
use serde::Serialize;

/// The kind of a fall, a bounded set for metrics and filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FallKind {
    /// A handler, or a future the actor had spawned, panicked.
    #[display("panic")]
    Panic,
    /// The actor stopped although nobody had asked it to.
    #[display("stop")]
    Stop,
    /// It could not be built, or gave up while starting.
    #[display("failed_start")]
    FailedStart,
    /// It did not answer the watchdog and was replaced.
    #[display("frozen")]
    Frozen,
    /// The thread it lived on ended.
    #[display("arbiter_died")]
    ArbiterDied,
    /// A child fell too often, so the whole group was restarted.
    #[display("escalated")]
    Escalated,
    /// An operator asked for it.
    #[display("by_hand")]
    ByHand,
}

/// One fall. Messages are cut at [`MESSAGE_LIMIT`] characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fall {
    pub kind: FallKind,
    pub message: String,
    /// `file:line:column` of a panic, else empty.
    pub place: String,
}

/// The most characters of a panic message that are kept.
pub const MESSAGE_LIMIT: usize = 500;

impl Fall {
    /// A fall without a place.
    #[must_use]
    pub fn new(kind: FallKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: shorten(message.into()),
            place: String::new(),
        }
    }

    /// The fall of a caught panic: the message from its payload, the place from the hook of this thread.
    #[must_use]
    pub fn from_panic(payload: &(dyn Any + Send)) -> Self {
        Self {
            kind: FallKind::Panic,
            message: shorten(payload_text(payload).to_owned()),
            place: LAST_PLACE.take(),
        }
    }
}

thread_local! {
    static LAST_PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

static HOOK: Once = Once::new();

/// Makes every panic of the process one log line, and keeps its place for [`Fall::from_panic`].
/// Calling it again changes nothing.
pub fn install_panic_hook() {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            on_panic(info);
            // without a logger the panic must not be silent
            if !log::log_enabled!(log::Level::Error) {
                before(info);
            }
        }));
    });
}

fn on_panic(info: &PanicHookInfo<'_>) {
    let mut place = String::new();
    if let Some(location) = info.location() {
        // writing to a String cannot fail
        let _ = write!(place, "{location}");
    }
    log::error!(target: "troupe::panic", "panic at {place}: {}", payload_text(info.payload()));
    LAST_PLACE.replace(place);
}

/// The text of a panic's payload; panics raised with other types say so.
#[must_use]
pub fn payload_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic without a message")
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_panic_has_its_message_and_place() {
        install_panic_hook();
        let payload = panic::catch_unwind(|| panic!("boom {}", 7)).unwrap_err();
        let fall = Fall::from_panic(payload.as_ref());
        assert_eq!(fall.message, "boom 7");
        assert!(fall.place.contains("fall.rs:"), "{}", fall.place);
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let fall = Fall::new(FallKind::Stop, "é".repeat(MESSAGE_LIMIT + 9));
        assert_eq!(fall.message.chars().count(), MESSAGE_LIMIT);
    }
}
