//! The loop that takes connections. `axum::serve` sets no time limit on a request's head, so that a half-sent one stays
//! for ever; this one is hyper's own builder with a timer.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::Streams;
use super::limits::Peer;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of a request's head.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How long requests in flight may take to end once the server stops: somewhat more than a request may take at all.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a stream may take to end: its client need not be reading.
const STREAM_STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client may take no byte of what is sent to it.
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long to wait where no connection can be taken, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Whether a connection carries a stream, whose client may be reading nothing.
#[derive(Clone, Default)]
pub(super) struct CarriesStream(pub(super) Arc<AtomicBool>);

/// Serves until `stop`, then ends what stays open and lets the requests in flight end.
pub async fn serve(listener: TcpListener, router: Router, streams: Streams, stop: impl Future<Output = ()>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted.and_then(|(stream, peer)| Ok((prepared(stream)?, peer))) {
            Ok((stream, peer)) => {
                let router = router.clone();
                let carries_stream = CarriesStream::default();
                let mark = carries_stream.clone();
                let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                    request.extensions_mut().insert(Peer(peer));
                    request.extensions_mut().insert(mark.clone());
                    router.clone().oneshot(request)
                });
                let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
                let stop = streams.stop().clone();
                streams.tasks.spawn(async move {
                    let mut connection = pin!(connection);
                    let served = tokio::select! {
                        served = connection.as_mut() => served,
                        () = stop.cancelled() => {
                            connection.as_mut().graceful_shutdown();
                            let wait = if carries_stream.0.load(Ordering::Relaxed) { STREAM_STOP_TIMEOUT } else { STOP_TIMEOUT };
                            tokio::time::timeout(wait, connection).await.unwrap_or(Ok(()))
                        }
                    };
                    // A client that goes away is no fault of ours.
                    if let Err(error) = served {
                        tracing::debug!(%error, "connection ended");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if !streams.end(STOP_TIMEOUT).await {
        tracing::warn!("requests were still in flight when the time to stop was over");
    }
}

/// Answers are small and complete: they should not wait to be joined by others. Nor do they wait for ever for a client
/// that does not read them.
fn prepared(stream: TcpStream) -> io::Result<Pin<Box<TimeoutStream<TcpStream>>>> {
    stream.set_nodelay(true)?;
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    Ok(Box::pin(stream))
}
