//! Answers that wait for a picture. One that comes soon is an answer as any other; one that takes longer begins with
//! white space, so that no proxy cuts it, and goes on with the same JSON when it is there.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_rt::time::timeout;
use actix_web::{
    HttpResponse,
    body::{BodySize, BodyStream, BoxBody, MessageBody as _},
    http::{StatusCode, header},
    web::Bytes,
};
use futures_util::{Stream, future::LocalBoxFuture};
use troupe_actors::answers::Made;

use super::draw::{Drawing, Drawn};
use crate::http::{
    call::Call, ending, error::ApiError, heartbeat::Heartbeat, passing::unbuffered,
    services::OnWorker,
};

/// Answers by `render` once it is drawn, or known why not.
pub async fn answer<R>(
    mut drawing: Drawing,
    mut call: Call,
    worker: OnWorker,
    render: R,
) -> HttpResponse
where
    R: AsyncFnOnce(Result<Drawn, ApiError>, Call) -> HttpResponse + 'static,
{
    let services = worker.0.services.clone();
    let config = services.jobs.config();
    let patience = Duration::from_millis(config.patience_ms);
    let every = Duration::from_millis(config.keep_alive_ms);
    if let Ok(drawn) = timeout(patience, drawing.done(&services, &mut call)).await {
        return render(drawn.map_err(|undrawn| undrawn.error), call).await;
    }
    let mut response = call.begin_answer(StatusCode::OK);
    response.insert_header((header::CONTENT_TYPE, "application/json"));
    unbuffered(&mut response);
    // the end of the call is the end of its last piece, which only goes out here
    let rest = ending::watched(async move {
        let drawn = drawing.done(&services, &mut call).await;
        let rest = render(drawn.map_err(|undrawn| undrawn.error), call).await;
        (rest.into_body(), ending::noted())
    });
    response.body(BodyStream::new(Late {
        rest: Rest::Awaited(Box::pin(rest)),
        heartbeat: Heartbeat::new(every),
    }))
}

/// The body of an answer that has begun.
struct Late {
    rest: Rest,
    heartbeat: Option<Heartbeat>,
}

enum Rest {
    Awaited(LocalBoxFuture<'static, (BoxBody, Option<Made>)>),
    Here {
        body: BoxBody,
        /// Bytes still to come.
        left: u64,
        made: Option<Made>,
    },
}

/// Between the tokens of JSON it means nothing.
const SIGN_OF_LIFE: Bytes = Bytes::from_static(b" ");

impl Stream for Late {
    type Item = Result<Bytes, Box<dyn std::error::Error>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match &mut this.rest {
                Rest::Awaited(rest) => {
                    let Poll::Ready((body, made)) = rest.as_mut().poll(cx) else {
                        let Some(heartbeat) = &mut this.heartbeat else {
                            return Poll::Pending;
                        };
                        return heartbeat.poll(cx).map(|()| Some(Ok(SIGN_OF_LIFE)));
                    };
                    let left = match body.size() {
                        BodySize::Sized(length) => length,
                        BodySize::None | BodySize::Stream => 0,
                    };
                    this.rest = Rest::Here { body, left, made };
                }
                Rest::Here { body, left, made } => {
                    let piece = ready!(Pin::new(body).poll_next(cx));
                    if let Some(Ok(piece)) = &piece {
                        *left = left.saturating_sub(piece.len() as u64);
                    }
                    if *left == 0
                        && let Some(made) = made.take()
                    {
                        ending::note(made);
                    }
                    return Poll::Ready(piece);
                }
            }
        }
    }
}
