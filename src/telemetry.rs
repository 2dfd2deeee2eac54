//! The log: where it goes and what it looks like; and, with the feature `otlp`, traces.

use std::panic::PanicHookInfo;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to log and where to send traces.
pub struct Settings {
    /// What is logged.
    pub filter: EnvFilter,
    /// How.
    pub format: LogFormat,
    /// Where an OpenTelemetry collector takes traces by HTTP; only read with the feature `otlp`.
    pub otlp_endpoint: Option<String>,
}

/// Starts logging to stderr; stdout is for what a command prints. A panic becomes a line of the log as well, with the
/// id of the request that it happened in. What is returned sends the last traces when it is dropped.
///
/// # Errors
/// An endpoint for traces that is none.
pub fn start(settings: Settings) -> Result<Traces, String> {
    let traces = Traces::new(settings.otlp_endpoint.as_deref())?;
    let text = (settings.format == LogFormat::Text).then(|| {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(is_terminal)
    });
    let json = (settings.format == LogFormat::Json)
        .then(|| tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr));
    let public = filter_fn(|event| !shows_passwords(event));
    let subscriber = tracing_subscriber::registry().with(settings.filter).with(public).with(text).with(json);
    #[cfg(feature = "otlp")]
    let subscriber = subscriber.with(traces.layer());
    // A second start in one process (tests) keeps the first log.
    if subscriber.try_init().is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
    if settings.otlp_endpoint.is_some() && !cfg!(feature = "otlp") {
        tracing::warn!("OTEL_EXPORTER_OTLP_ENDPOINT is passed over: this build has not the feature 'otlp'");
    }
    Ok(traces)
}

/// Whether an event or span of a library holds a password: SeaORM traces its calls with their arguments, the database's URL
/// among them; sqlx warns of parameters of a URL, and of lines of `.pgpass`, with their text. Whatever the filter, they
/// are not logged.
fn shows_passwords(event: &Metadata<'_>) -> bool {
    let (target, fields) = (event.target(), event.fields());
    (target.starts_with("sea_orm") && *event.level() == Level::TRACE)
        || (target.starts_with("sqlx_postgres::options")
            && ["line", "value"].iter().any(|name| fields.field(name).is_some()))
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, cause = panic.payload_as_str().unwrap_or_default(), "panic");
}

#[cfg(feature = "otlp")]
pub use otlp::{Traces, continue_trace};

/// Traces that go nowhere: this build has not the feature `otlp`.
#[cfg(not(feature = "otlp"))]
pub struct Traces;

#[cfg(not(feature = "otlp"))]
impl Traces {
    #[expect(clippy::unnecessary_wraps, reason = "the same as with the feature")]
    fn new(_: Option<&str>) -> Result<Self, String> {
        Ok(Self)
    }
}

#[cfg(feature = "otlp")]
mod otlp {
    use axum::http::HeaderMap;
    use opentelemetry::propagation::{Extractor, TextMapPropagator};
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::{SpanExporter, WithExportConfig};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::{Span, Subscriber};
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    use tracing_subscriber::Layer;
    use tracing_subscriber::registry::LookupSpan;

    /// Where traces go: to a collector, or nowhere.
    pub struct Traces(Option<SdkTracerProvider>);

    impl Traces {
        /// Sends traces to the collector at `endpoint` (OTLP, protobuf by HTTP), in batches from a thread of its own.
        pub(super) fn new(endpoint: Option<&str>) -> Result<Self, String> {
            let Some(endpoint) = endpoint else { return Ok(Self(None)) };
            let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
            let exporter = SpanExporter::builder().with_http().with_endpoint(url).build();
            // The library would repeat the URL, which may hold a password.
            let exporter = exporter.map_err(|_| "not the URL of a collector, such as http://127.0.0.1:4318")?;
            let resource = Resource::builder().with_service_name("taskql").build();
            Ok(Self(Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())))
        }

        pub(super) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
        where
            S: Subscriber + for<'span> LookupSpan<'span>,
        {
            let provider = self.0.as_ref()?;
            Some(tracing_opentelemetry::layer().with_tracer(provider.tracer("taskql")))
        }
    }

    impl Drop for Traces {
        fn drop(&mut self) {
            if let Some(Err(error)) = self.0.take().map(|provider| provider.shutdown()) {
                tracing::warn!(%error, "the last traces were not sent");
            }
        }
    }

    /// Makes `span` a part of the trace that a request's `traceparent` names (W3C Trace Context).
    pub fn continue_trace(span: &Span, headers: &HeaderMap) {
        let parent = TraceContextPropagator::new().extract(&Headers(headers));
        // Without a collector there is nothing to set.
        let _may_be_disabled = span.set_parent(parent);
    }

    struct Headers<'h>(&'h HeaderMap);

    impl Extractor for Headers<'_> {
        fn get(&self, name: &str) -> Option<&str> {
            self.0.get(name)?.to_str().ok()
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(axum::http::HeaderName::as_str).collect()
        }
    }
}
