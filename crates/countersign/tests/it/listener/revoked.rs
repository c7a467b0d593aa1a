//! A token that ends while a connection that used it stays open, over HTTP/2 at our own door: the next request on that
//! connection is refused.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::{
    installation::Installation,
    platform::{ask_of, brand_account, gateway, token},
};

async fn verdict(client: &mut SendRequest<Full<Bytes>>, gateway: &str, ask: &Value) -> Value {
    let request = Request::post("http://localhost/v1/verify")
        .header("x-countersign-gateway", gateway)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(ask.to_string())))
        .unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ended_is_refused_on_the_open_connection() {
    let installation = Installation::empty();
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let gateway = gateway(&installation);
    let stream = TcpStream::connect(server.data_plane).await.unwrap();
    let (mut client, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    for (deed, flags, code) in
        [("disable", [].as_slice(), "token_disabled"), ("delete", &["--yes"], "credentials_invalid")]
    {
        let token = token(&installation, deed);
        let ask = ask_of(&token);
        assert_eq!(verdict(&mut client, &gateway, &ask).await["code"], "allowed");
        let done = installation.run(&[&["token", deed, &token.sid], flags].concat());
        assert!(done.status.success(), "{}", crate::installation::errors(&done));
        assert_eq!(verdict(&mut client, &gateway, &ask).await["code"], code);
    }
    assert!(!connection.is_finished(), "it was one connection all the time");
}
