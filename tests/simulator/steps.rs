//! The steps of streams and of misbehaving plain answers.

use std::{rc::Rc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use crate::{
    behaviour::Behaviour,
    frames::Frames,
    play::{Flight, Play, Step},
    script::Script,
};

/// Long bodies go out in pieces of this size.
const PIECE: usize = 64 << 10;

/// The steps of an event stream.
pub(crate) fn stream(frames: Frames, pace: Duration, behaviour: &Behaviour) -> Rc<[Step]> {
    let mut steps = Vec::from_iter(write(&frames.head));
    let total = frames.events.len();
    for (index, event) in frames.events.iter().enumerate() {
        if let Some(end) = early_end(&frames, behaviour, index) {
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
        steps.push(Step::Event(event.clone()));
    }
    if let Some(end) = early_end(&frames, behaviour, total) {
        steps.extend(end);
        return steps.into();
    }
    steps.extend(write(&frames.tail));
    if *behaviour != Behaviour::NoDone {
        steps.push(Step::Write(frames.done));
    }
    match behaviour {
        Behaviour::OneByteWrites => one_byte_writes(&steps),
        Behaviour::SplitUtf8 => split_characters(&steps),
        Behaviour::LineEnds(end) => line_ends(&steps, end),
        _ => steps,
    }
    .into()
}

/// A write of these bytes, if any: an empty one would be the terminator of a chunked body.
fn write(bytes: &Bytes) -> Option<Step> {
    (!bytes.is_empty()).then(|| Step::Write(bytes.clone()))
}

/// How a stream ends before its event `index`, where it does.
fn early_end(frames: &Frames, behaviour: &Behaviour, index: usize) -> Option<Vec<Step>> {
    let here = |after: u32| usize::try_from(after).is_ok_and(|after| after == index);
    match behaviour {
        Behaviour::HangAfter(after) if here(*after) => Some(vec![Step::Flush, Step::Hang]),
        Behaviour::CutAfter(after) if here(*after) => Some(vec![Step::Flush, Step::Cut]),
        Behaviour::ErrorAfter(after) if here(*after) => {
            Some(vec![Step::Write(frames.faults.error.clone())])
        }
        Behaviour::Malformed if index == 1 => Some(malformed_frames(frames.faults.broken)),
        Behaviour::HugeLine(bytes) if index == 1 => Some(huge_line(frames, *bytes)),
        _ => None,
    }
}

fn malformed_frames(broken: &'static str) -> Vec<Step> {
    let others = "\n\ndata\n\n: remark\n\nnonsense without a colon\n\nevent: \n\n";
    vec![
        Step::Write(Bytes::from_static(broken.as_bytes())),
        Step::Write(Bytes::from_static(others.as_bytes())),
    ]
}

/// An event whose last line has so many bytes, and the stream's last frame.
fn huge_line(frames: &Frames, bytes: usize) -> Vec<Step> {
    let (open, close) = &frames.faults.line;
    let before = open.len() - open.rfind('\n').map_or(0, |at| at + 1);
    let mut steps = vec![Step::Write(open.clone().into())];
    steps.extend(filler(bytes.saturating_sub(before + close.len())));
    steps.push(Step::Write(Bytes::from(format!("{close}\n\n"))));
    steps.push(Step::Write(frames.done.clone()));
    steps
}

/// So many bytes of text in pieces that share their memory.
fn filler(bytes: usize) -> impl Iterator<Item = Step> {
    let piece = Bytes::from(vec![b'x'; PIECE.min(bytes)]);
    (0..bytes.div_ceil(PIECE))
        .map(move |index| Step::Write(piece.slice(..PIECE.min(bytes - index * PIECE))))
}

/// A plain answer, sent as the behaviour wants it.
pub(crate) fn send(
    mut answer: HttpResponseBuilder,
    body: Bytes,
    behaviour: &Behaviour,
    script: &Script,
    request: &HttpRequest,
    model: &Rc<str>,
) -> HttpResponse {
    let Some(steps) = plain(&body, behaviour) else {
        return answer.body(body);
    };
    let length = u64::try_from(body.len()).ok();
    let flight = Flight::begin(script, model, false);
    answer.body(Play::new(steps, length, request, flight))
}

/// The steps of a plain answer that misbehaves or is long; `None` for one that goes out as it is.
fn plain(body: &Bytes, behaviour: &Behaviour) -> Option<Rc<[Step]>> {
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

/// The same lines with other ends: the standard allows `\r\n` and `\r` as well as `\n`.
fn line_ends(steps: &[Step], end: &str) -> Vec<Step> {
    let ended = |bytes: &Bytes| {
        let text = String::from_utf8_lossy(bytes);
        Bytes::from(text.replace("\r\n", "\n").replace('\n', end))
    };
    let steps = steps.iter().map(|step| match step {
        Step::Write(bytes) => Step::Write(ended(bytes)),
        Step::Event(bytes) => Step::Event(ended(bytes)),
        other => other.clone(),
    });
    steps.collect()
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
