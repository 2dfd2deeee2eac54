//! Operations for the transports that stay open: what a client asks for becomes a stream of answers. The checks are those
//! of a request by POST, except the ones that come before the document.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::ready;
use futures_util::stream::{BoxStream, once, unfold};

use super::answer::{self, FULL, too_slow};
use super::app::App;
use super::parameters::Parameters;
use super::request_log::OperationLog;
use super::summary::Limit;
use crate::domain::Viewer;
use crate::graphql::{Call, Code, OperationKind, Reply, coded};

/// One answer, as it goes to the client.
pub(super) struct Event {
    /// `{"data": …, "errors": …}`
    pub(super) json: String,
    /// Whether the operation was refused before it ran.
    pub(super) is_refusal: bool,
}

/// Starts an operation. A query or mutation has one answer, a subscription any number. Dropping the stream ends it; a
/// mutation's writes go on.
pub(super) fn start(
    app: Arc<App>,
    parameters: Parameters,
    viewer: Option<Viewer>,
    mut log: OperationLog,
) -> BoxStream<'static, Event> {
    let replies = replies(app, parameters, viewer, &mut log);
    unfold((replies, log), |(mut replies, mut log)| async {
        let next = async {
            let reply = replies.next().await?;
            let (code, way, is_refusal) = (reply.most_severe_code(), reply.way, reply.is_refusal());
            Some((code, way, Event { json: answer::to_json(reply).unwrap_or_default(), is_refusal }))
        };
        let (code, way, event) = log.scope(next).await?;
        log.summary.code = code.or(log.summary.code);
        log.summary.way = Some(way);
        Some((event, (replies, log)))
    })
    .boxed()
}

fn replies(
    app: Arc<App>,
    parameters: Parameters,
    viewer: Option<Viewer>,
    log: &mut OperationLog,
) -> BoxStream<'static, Reply> {
    let Parameters { asked, operation_name, variables } = parameters;
    let refused = |error| once(ready(Reply::refusal(error))).boxed();
    let document = match app.documents.find(&app.api, &asked) {
        Ok(document) => document,
        Err(error) => return refused(error),
    };
    let operation = match document.operation(operation_name.as_deref()) {
        Ok(operation) => operation,
        Err(error) => return refused(error),
    };
    (log.summary.kind, log.summary.operation) = (Some(operation.kind), operation.name.map(str::to_owned));
    if operation.kind == OperationKind::Subscription {
        return app.api.follow(Call { operation, variables, viewer });
    }
    let Some(place) = app.limits.enter() else {
        log.summary.limit = Some(Limit::InFlight);
        return refused(coded(Code::ServiceUnavailable, FULL, None));
    };
    let answered = async move {
        let _place = place;
        let operation = document.operation(operation_name.as_deref());
        let operation = operation.expect("it was found a moment ago");
        let call = app.api.execute(Call { operation, variables, viewer });
        tokio::time::timeout(app.timeouts.request, call).await.unwrap_or_else(|_| Reply::refusal(too_slow()))
    };
    once(answered).boxed()
}
