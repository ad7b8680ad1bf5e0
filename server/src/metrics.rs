//! What Muster measures about itself, for Prometheus. Counters and histograms are kept here by their
//! names; gauges that describe the state of the database are read when somebody asks (`app::metrics`).

use std::sync::OnceLock;
use std::time::Duration;

use ::metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const HTTP_SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const DELAY_SECONDS: &[f64] = &[
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0,
];

static EXPORTER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to measure. Doing so again changes nothing: the figures belong to the process.
pub fn install() -> anyhow::Result<()> {
    if EXPORTER.get().is_some() {
        return Ok(());
    }
    let recorder = builder()?.build_recorder();
    if EXPORTER.set(recorder.handle()).is_ok() {
        ::metrics::set_global_recorder(recorder)
            .map_err(|_| anyhow::anyhow!("another recorder of metrics is installed"))?;
    }
    Ok(())
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("http_request_seconds".to_owned()), HTTP_SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("delay_seconds".to_owned()), DELAY_SECONDS)
}

/// Everything measured so far, in Prometheus' text format.
pub fn render() -> String {
    EXPORTER.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Folds what has queued into the histograms. Called every few seconds, so that memory stays bounded
/// when nobody asks.
pub fn tidy() {
    if let Some(exporter) = EXPORTER.get() {
        exporter.run_upkeep();
    }
}

/// A request was answered. `route` is its pattern, never the address itself.
pub fn request_answered(method: &str, route: &str, status: u16, took: Duration) {
    let labels = [("method", method.to_owned()), ("route", route.to_owned())];
    // Without the status, which would make a dozen series of each code that a route ever answers.
    histogram!("muster_http_request_seconds", &labels).record(took.as_secs_f64());
    let [method, route] = labels;
    let labels = [method, route, ("status", status.to_string())];
    counter!("muster_http_requests_total", &labels).increment(1);
}

/// A message ended: sent, shown, failed or cancelled. `delay` counts from when it ought to have gone out.
pub fn send_ended(channel: &'static str, purpose: &'static str, state: &'static str, delay: Duration) {
    counter!("muster_sends_total", "channel" => channel, "purpose" => purpose, "state" => state).increment(1);
    if state == "sent" {
        histogram!("muster_send_delay_seconds", "channel" => channel, "purpose" => purpose)
            .record(delay.as_secs_f64());
    }
}

/// How many events this node has accepted and made durable since it started.
pub fn events_accepted(total: u64) {
    counter!("muster_events_accepted_total").absolute(total);
}

/// A request was refused because its caller asks too often.
pub fn request_limited(class: &'static str) {
    counter!("muster_rate_limited_total", "class" => class).increment(1);
}

/// How many there are just now of something that is counted in the database.
pub fn set_gauge(name: &'static str, labels: &[(&'static str, String)], value: f64) {
    gauge!(name, labels).set(value);
}

/// The rules of a service were too much work for an event and were not applied to it.
pub fn rules_given_up() {
    counter!("muster_rules_given_up_total").increment(1);
}
