//! A sample partnership API, to stand behind a gateway in demonstrations. Every answer says that it is a sample; nothing
//! sent to it is kept. `sample_api --listen 127.0.0.1:8481 [--record]`; ends on SIGTERM or Ctrl-C.
#![allow(clippy::print_stderr)]

mod api;

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use api::SampleApi;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

const USAGE: &str = "usage: sample_api --listen ADDRESS:PORT [--record]";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("sample_api: {sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let (address, record) = read_arguments(std::env::args().skip(1))?;
    let api = Arc::new(SampleApi::new(record)?);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|cause| format!("cannot listen on {address}: {cause}; choose another port with --listen"))?;
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|cause| format!("cannot listen for signals: {cause}"))?;
    tokio::select! {
        () = api.serve(listener) => {}
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

fn read_arguments(arguments: impl Iterator<Item = String>) -> Result<(SocketAddr, bool), String> {
    let (mut address, mut record, mut arguments) = (None, false, arguments);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => {
                let text = arguments.next().ok_or(USAGE)?;
                address =
                    Some(text.parse().map_err(|_| format!("`{text}` is not an address and port; {USAGE}"))?);
            }
            "--record" => record = true,
            other => return Err(format!("`{other}` is not known; {USAGE}")),
        }
    }
    Ok((address.ok_or(USAGE)?, record))
}
