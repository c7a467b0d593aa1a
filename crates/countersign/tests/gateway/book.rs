//! The pages of the book about gateways: whoever types their commands has a gateway that asks, and lets pass what may pass.

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;

use crate::{
    client,
    countersign::{Countersign, Token},
    gateways::{self, place},
    installation::Installation,
    pages,
    stack::record,
    started::Started,
};

const PAGES: [&str; 6] = [
    "gateways-nginx.md",
    "gateways-haproxy.md",
    "gateways-caddy.md",
    "gateways-traefik.md",
    "gateways-envoy.md",
    "gateways-apache.md",
];
/// Looks at a gateway that listens until it asks, 20 ms apart.
const LOOKS: usize = 500;

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_every_page_make_a_gateway_that_asks() {
    let started: usize = join_all(PAGES.map(follow)).await.into_iter().sum();
    assert_eq!(started, gateways::ALL.len(), "every gateway has a page");
}

/// Types the commands of a page; answers how many gateways they started.
async fn follow(name: &str) -> usize {
    // The page makes its gateways itself.
    let installation = Installation::empty();
    let countersign = Countersign { server: installation.serve(), installation, credential: String::new() };
    let brand = countersign.account("brand").await;
    let token = countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
    let mut started = 0;
    for (command, shown) in pages::commands(&pages::page(name)) {
        let (_held, at) = place();
        let (back_end, back_end_at) = record().await;
        let mut words = pages::words(&command);
        if words.starts_with(&["gateway".to_owned(), "config".to_owned()]) {
            // The page has the addresses of its reader; these are free here.
            set(&mut words, "--listen", at(1));
            set(&mut words, "--data-plane", countersign.server.data_plane);
            set(&mut words, "--back-end", back_end_at);
        }
        let mut typed = countersign.installation.command();
        typed.args(&words);
        let output = tokio::task::spawn_blocking(move || typed.output()).await.unwrap().unwrap();
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{name}: {command}: {told}");
        for line in shown {
            assert!(told.contains(line.trim_end()), "{name}: {command} does not print {line:?}: {told}");
        }
        if let Some(start) = told.lines().find_map(|line| line.strip_prefix("START")) {
            let _running = Started::by(start.trim(), at(1)).await;
            it_asks(name, at(1), &token).await;
            let reached = back_end.take_recorded();
            assert_eq!(reached.len(), 1, "{name}: {reached:?}");
            assert_eq!(reached[0].header("x-countersign-sid"), token.sid, "{name}");
            started += 1;
        }
    }
    started
}

/// Without a credential nothing passes, with one it does.
async fn it_asks(name: &str, address: SocketAddr, token: &Token) {
    let line = format!("GET /Advertisers/{}/Actions", token.sid);
    let mut status = 0;
    for _ in 0..LOOKS {
        status = client::send(address, client::request(&line, &[])).await.status;
        if status != 404 {
            break;
        }
        // Some listen before they have read what to do.
        tokio::time::sleep(Duration::from_millis(20)).await; // poll
    }
    assert_eq!(status, 401, "{name}");
    let passed = client::send(address, client::request(&line, &[("authorization", &token.basic())])).await;
    assert_eq!(passed.status, 200, "{name}: {passed:?}");
}

/// Gives an option this value instead of the one it has.
fn set(words: &mut Vec<String>, option: &str, address: SocketAddr) {
    if let Some(at) = words.iter().position(|word| word == option) {
        words.drain(at..at + 2);
    }
    words.extend([option.to_owned(), address.to_string()]);
}
