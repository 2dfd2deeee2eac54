//! The loop that accepts connections. `axum::serve` has no time limit for a request's head, so that a half-sent one stays
//! for ever; this is hyper's own builder with a timer.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::limits::Peer;
use super::streams::{CarriesStream, Streams};
use super::timeouts::Timeouts;

/// Most bytes of a request's head.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves until `stop`, then closes sockets and streams and lets the requests in flight end. `streams` and `timeouts` are
/// those of the router's app.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    streams: Streams,
    timeouts: Timeouts,
    stop: impl Future<Output = ()>,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(timeouts.head).max_buf_size(MAX_HEAD_BYTES);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted.and_then(|(stream, peer)| Ok((prepared(stream, timeouts.write)?, peer))) {
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
                            let is_stream = carries_stream.0.load(Ordering::Relaxed);
                            let wait = if is_stream { timeouts.stream_shutdown } else { timeouts.shutdown };
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
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(timeouts.accept_pause).await;
            }
        }
    }
    drop(listener);
    if !streams.end(timeouts.shutdown).await {
        tracing::warn!("requests were still in flight when the time to shut down was over");
    }
}

/// Answers are small and complete, so they need not wait to share a packet with others. Nor do they wait for ever for a
/// client that does not read them.
fn prepared(stream: TcpStream, write_timeout: Duration) -> io::Result<Pin<Box<TimeoutStream<TcpStream>>>> {
    stream.set_nodelay(true)?;
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write_timeout));
    Ok(Box::pin(stream))
}
