//! The order that readers promise: see [`ChatEvent`].

use troupe_protocol::chat::{Block, ChatEvent};

/// Fails where the events are in another order.
pub fn check(events: &[ChatEvent]) {
    let (mut started, mut over) = (false, false);
    let mut open: Option<&Block> = None;
    let mut has_input = false;
    for (at, event) in events.iter().enumerate() {
        assert!(!over, "{event:?} at {at} after the end of {events:?}");
        let in_order = match event {
            ChatEvent::Ping => true,
            ChatEvent::Error { .. } => {
                over = true;
                true
            }
            ChatEvent::Start { .. } => !std::mem::replace(&mut started, true),
            ChatEvent::Open(block) => {
                has_input = false;
                started && open.replace(block).is_none()
            }
            ChatEvent::Delta(text) => {
                has_input = true;
                open.is_some() && !text.is_empty()
            }
            ChatEvent::Seal(_) => match open {
                Some(Block::Thinking) => true,
                Some(Block::Call { .. }) => !has_input,
                _ => false,
            },
            ChatEvent::Logprobs(_) => open == Some(&Block::Text),
            ChatEvent::Close => open.take().is_some(),
            ChatEvent::Finish { .. } => {
                over = true;
                started && open.is_none()
            }
        };
        assert!(in_order, "{event:?} at {at} of {events:?}");
    }
}
