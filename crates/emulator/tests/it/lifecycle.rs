//! Starting and stopping.

use crate::harness::*;
use emulator::Emulator;
use google_cloud_gax::error::rpc::Code;
use std::time::{Duration, Instant};
use tokio::{net::TcpStream, sync::oneshot};

#[tokio::test]
async fn it_serves_until_it_is_told_to_stop() {
    let bound = Emulator::default().bind("127.0.0.1:0").await.unwrap();
    let address = bound.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(bound.serve(async move { stopped.await.unwrap() }));
    in_time(TcpStream::connect(address)).await.unwrap();
    stop.send(()).unwrap();
    in_time(server).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_open_streams() {
    let harness = Harness::with_subscription().await;
    harness.publish("held").await;
    let mut stream = harness.subscribe().await;
    let _held = next(&mut stream).await;
    let idle = TcpStream::connect(harness.emulator.local_addr()).await.unwrap();
    let start = Instant::now();
    in_time(harness.emulator.stop()).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    drop(idle);
}

#[tokio::test]
async fn dropping_it_stops_it() {
    let harness = Harness::start().await;
    let address = harness.emulator.local_addr();
    drop(harness);
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    in_time(refused).await;
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let first = Emulator::default().bind("127.0.0.1:0").await.unwrap();
    assert!(Emulator::default().bind(first.local_addr()).await.is_err());
}

#[tokio::test]
async fn deleting_a_subscription_ends_its_streams() {
    let harness = Harness::with_subscription().await;
    harness.publish("held").await;
    let mut stream = harness.subscribe().await;
    let _held = next(&mut stream).await;
    in_time(harness.subscriptions.delete_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
    let error = in_time(stream.next()).await.expect("an error").unwrap_err();
    assert_eq!(error.status().unwrap().code, Code::NotFound);
}
