//! `/metrics`.

use axum::body::Body;
use axum::http::Request;
use store::Engine;

use crate::harness::TestApp;

#[store::both_engines]
async fn metrics_tell_how_it_stands_to_those_who_may_know(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let text = muster.get("/metrics").await.text;
    for line in [
        "muster_incidents_open{status=\"triggered\"}",
        "muster_jobs_late_seconds",
        "muster_sends_open{channel=\"email\",state=\"owed\"}",
        "muster_sends_total{channel=\"email\",purpose=\"page\",state=\"shown\"}",
        "muster_http_request_seconds_bucket{method=\"POST\",route=\"/v2/enqueue\"",
        "muster_http_requests_total{method=\"POST\",route=\"/v2/enqueue\",status=\"202\"}",
        "muster_events_accepted_total",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    let stranger = Request::get("/metrics").body(Body::empty()).unwrap();
    assert_eq!(muster.send(stranger).await.status.as_u16(), 401);
}
