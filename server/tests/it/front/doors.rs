//! Serving over real connections: public documents without the router, everything else through it, and a
//! stop that lets nobody down.

use std::sync::Arc;
use std::time::Duration;

use muster::app::serve;
use serde_json::json;
use store::Engine;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::TestApp;

async fn ask(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[store::both_engines]
async fn a_public_page_comes_from_the_door_and_the_rest_from_the_router(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let page = json!({ "status_page": { "name": "Larkfield", "slug": "larkfield" } });
    muster.post("/status_pages", page).await.with_status(201);
    muster.settle().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve::serve(Arc::clone(&muster.app), listener));

    let mut first = TcpStream::connect(address).await.unwrap();
    let drawn = ask(&mut first, "/status/larkfield").await;
    assert!(
        drawn.starts_with("HTTP/1.1 200") && drawn.contains("etag:"),
        "{drawn}"
    );
    let mut second = TcpStream::connect(address).await.unwrap();
    assert!(
        ask(&mut second, "/status/nowhere")
            .await
            .starts_with("HTTP/1.1 404")
    );
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(ask(&mut third, "/health/live").await.contains("ok"));

    // Whoever is connected and asks for nothing does not hold up the stop.
    let _silent = TcpStream::connect(address).await.unwrap();
    muster.app.stopping.cancel();
    let stopped = tokio::time::timeout(Duration::from_secs(10), serving).await;
    stopped.expect("the stop was held up").unwrap().unwrap();
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}

#[store::both_engines]
async fn a_refusal_does_not_cost_the_next_request_of_a_connection(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve::serve(Arc::clone(&muster.app), listener));
    let mut stream = TcpStream::connect(address).await.unwrap();
    for path in ["/incidents", "/nowhere", "/health/live"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(b"{}").await.unwrap();
    }
    let last = ask(&mut stream, "/health/live").await;
    let answers = last.matches("HTTP/1.1 ").count();
    assert!(answers == 4 && last.ends_with("ok\n"), "{last}");
    muster.app.stopping.cancel();
    serving.await.unwrap().unwrap();
}
