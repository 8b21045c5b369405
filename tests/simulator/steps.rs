//! The steps of streams and of misbehaving plain answers.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;

use crate::{behaviour::Behaviour, play::Step, refusal};

/// Long bodies go out in pieces of this size.
const PIECE: usize = 64 << 10;

/// A stream as it should be: what comes before the events, the events, what comes after.
pub(crate) struct Frames {
    /// Goes out together with the first event.
    pub head: Bytes,
    pub events: Vec<Bytes>,
    /// The closing chunks, without `[DONE]`.
    pub tail: Bytes,
}

const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// The steps of an event stream.
pub(crate) fn stream(frames: Frames, pace: Duration, behaviour: &Behaviour) -> Rc<[Step]> {
    let mut steps = vec![Step::Write(frames.head)];
    let total = frames.events.len();
    for (index, event) in frames.events.into_iter().enumerate() {
        if let Some(end) = early_end(behaviour, index) {
            steps.extend(end);
            return steps.into();
        }
        if index > 0 {
            // without a pace each event is still a write of its own, as real upstreams send them
            steps.push(match pace.is_zero() {
                true => Step::Flush,
                false => Step::Pause(pace),
            });
        }
        steps.push(Step::Event(event));
    }
    if let Some(end) = early_end(behaviour, total) {
        steps.extend(end);
        return steps.into();
    }
    steps.push(Step::Write(frames.tail));
    if *behaviour != Behaviour::NoDone {
        steps.push(Step::Write(DONE));
    }
    match behaviour {
        Behaviour::OneByteWrites => one_byte_writes(&steps),
        Behaviour::SplitUtf8 => split_characters(&steps),
        _ => steps,
    }
    .into()
}

/// How a stream ends before its event `index`, where it does.
fn early_end(behaviour: &Behaviour, index: usize) -> Option<Vec<Step>> {
    let here = |after: u32| usize::try_from(after).is_ok_and(|after| after == index);
    match behaviour {
        Behaviour::HangAfter(after) if here(*after) => Some(vec![Step::Flush, Step::Hang]),
        Behaviour::CutAfter(after) if here(*after) => Some(vec![Step::Flush, Step::Cut]),
        Behaviour::ErrorAfter(after) if here(*after) => {
            let error = format!("data: {}\n\n", refusal::stream_error());
            Some(vec![Step::Write(error.into())])
        }
        Behaviour::Malformed if index == 1 => Some(malformed_frames()),
        Behaviour::HugeLine(bytes) if index == 1 => Some(huge_line(*bytes)),
        _ => None,
    }
}

fn malformed_frames() -> Vec<Step> {
    let frames = "data: {\"id\":\"chatcmpl-sim\",\"choices\":[{\"delta\":{\"cont\n\n\
                  data\n\n: remark\n\nnonsense without a colon\n\nevent: \n\n";
    vec![Step::Write(Bytes::from_static(frames.as_bytes()))]
}

fn huge_line(bytes: usize) -> Vec<Step> {
    let open = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"";
    let close = "\"},\"finish_reason\":null}]}";
    let mut steps = vec![Step::Write(Bytes::from_static(open.as_bytes()))];
    steps.extend(filler(bytes.saturating_sub(open.len() + close.len())));
    steps.push(Step::Write(Bytes::from(format!("{close}\n\n"))));
    steps.push(Step::Write(DONE));
    steps
}

/// So many bytes of text in pieces that share their memory.
fn filler(bytes: usize) -> impl Iterator<Item = Step> {
    let piece = Bytes::from(vec![b'x'; PIECE.min(bytes)]);
    (0..bytes.div_ceil(PIECE))
        .map(move |index| Step::Write(piece.slice(..PIECE.min(bytes - index * PIECE))))
}

/// The steps of a plain answer that misbehaves or is long; `None` for one that goes out as it is.
pub(crate) fn plain(body: &Bytes, behaviour: &Behaviour) -> Option<Rc<[Step]>> {
    let half = body.slice(..body.len() / 2);
    let whole = [Step::Write(body.clone())];
    Some(match behaviour {
        Behaviour::HangAfter(_) => Rc::new([Step::Write(half), Step::Flush, Step::Hang]),
        Behaviour::CutAfter(_) => Rc::new([Step::Write(half), Step::Flush, Step::Cut]),
        Behaviour::SlowDrip(pause) => drip(body, *pause).into(),
        Behaviour::OneByteWrites => one_byte_writes(&whole).into(),
        Behaviour::SplitUtf8 => split_characters(&whole).into(),
        // one piece after the other needs no buffer of the answer's size in each connection
        _ if body.len() > PIECE => pieces(body, PIECE).map(Step::Write).collect(),
        _ => return None,
    })
}

fn pieces(body: &Bytes, size: usize) -> impl Iterator<Item = Bytes> {
    body.chunks(size).map(|piece| body.slice_ref(piece))
}

/// Sixteen writes with a pause before each.
fn drip(body: &Bytes, pause: Duration) -> Vec<Step> {
    let size = body.len().div_ceil(16).max(1);
    pieces(body, size)
        .flat_map(|piece| [Step::Flush, Step::Pause(pause), Step::Write(piece)])
        .collect()
}

fn one_byte_writes(steps: &[Step]) -> Vec<Step> {
    rewrite(steps, |bytes| (1..bytes.len()).collect(), Step::Flush)
}

/// Cuts inside each multi-byte character. The pause makes a packet of each part.
fn split_characters(steps: &[Step]) -> Vec<Step> {
    let pause = Step::Pause(Duration::from_millis(1));
    rewrite(
        steps,
        |bytes| {
            let follows = |at: &usize| bytes[*at] & 0xC0 == 0x80 && bytes[*at - 1] & 0x80 != 0;
            (1..bytes.len()).filter(follows).collect()
        },
        pause,
    )
}

/// Splits every write at the places that `cuts` names, with `between` in each gap.
fn rewrite(steps: &[Step], cuts: impl Fn(&Bytes) -> Vec<usize>, between: Step) -> Vec<Step> {
    let mut out = Vec::new();
    for step in steps {
        let (Step::Write(bytes) | Step::Event(bytes)) = step else {
            out.push(step.clone());
            continue;
        };
        let mut from = 0;
        for cut in cuts(bytes) {
            out.extend([Step::Write(bytes.slice(from..cut)), between.clone()]);
            from = cut;
        }
        let rest = bytes.slice(from..);
        out.push(match step {
            Step::Event(_) => Step::Event(rest),
            _ => Step::Write(rest),
        });
    }
    out
}
