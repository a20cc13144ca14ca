use std::{collections::HashSet, time::Duration};

use bus::Closed;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use crate::{
    on_both_servers,
    server::{Queue, Server, body, next, nothing_for, soon, within},
};

on_both_servers! {
    what_was_handed_out_but_not_finished_reaches_a_second_worker_promptly,
    what_is_running_keeps_its_lease_after_pulling_has_stopped,
    nothing_comes_after_pulling_has_stopped,
    a_leaked_lease_does_not_hold_up_the_end,
}

/// Far less than the 10 s that a lease lasts.
const PROMPTLY: Duration = Duration::from_secs(1);

async fn publish_many(queue: &Queue, number: usize) {
    for n in 0..number {
        queue.publish(n.to_string()).await;
    }
}

/// Other workers, who finish whatever they get.
struct Crew {
    finished: mpsc::Receiver<String>,
    _workers: JoinSet<()>,
}

impl Crew {
    fn hire(server: &Server, queue: &Queue) -> Self {
        let (sender, finished) = mpsc::channel(100);
        let mut workers = JoinSet::new();
        for _ in 0..server.workers_to_notice() {
            let (mut consumer, sender) = (queue.consume(), sender.clone());
            workers.spawn(async move {
                while let Some(delivery) = consumer.next().await {
                    sender.send(body(&delivery)).await.unwrap();
                    delivery.ack();
                }
            });
        }
        Self { finished, _workers: workers }
    }

    async fn finish(&mut self, number: usize) {
        let mut different = HashSet::new();
        while different.len() < number {
            different.insert(self.finished.recv().await.unwrap());
        }
    }

    async fn idle_for(&mut self, time: Duration) {
        if let Ok(unexpected) = timeout(time, self.finished.recv()).await {
            panic!("unexpected: {unexpected:?}");
        }
    }
}

async fn what_was_handed_out_but_not_finished_reaches_a_second_worker_promptly(server: &Server) {
    let queue = server.queue().await;
    let mut first = queue.consume();
    publish_many(&queue, 40).await;
    let mut unfinished = Vec::new();
    for _ in 0..40 {
        unfinished.push(next(&mut first).await);
    }
    let mut others = Crew::hire(server, &queue);

    first.stop_pulling().await;
    drop(unfinished);
    assert_eq!(first.close(Duration::from_secs(5)).await, Closed::Clean);
    within(server.grants(PROMPTLY), "all forty", others.finish(40)).await;
}

/// Google's emulator may keep delivering to the closed stream for as long as the connection is needed for the running one's lease.
#[tokio::test]
async fn embedded_what_was_not_started_is_handed_back_while_the_rest_is_finished() {
    let server = &Server::embedded().await;
    let queue = server.queue().await;
    let mut first = queue.consume();
    publish_many(&queue, 40).await;
    let running = next(&mut first).await;
    // What the server has sent when the stream is closed, but we have not received, nobody can hand back.
    queue.taken(40).await;
    let mut others = Crew::hire(server, &queue);

    first.stop_pulling().await;
    within(PROMPTLY, "the other 39", others.finish(39)).await;

    running.ack();
    assert_eq!(first.close(Duration::from_secs(5)).await, Closed::Clean);
    others.idle_for(Duration::from_secs(1)).await;
}

async fn what_is_running_keeps_its_lease_after_pulling_has_stopped(server: &Server) {
    let queue = server.queue().await;
    let mut first = queue.consume();
    queue.publish("takes its time").await;
    let running = next(&mut first).await;
    let mut second = queue.consume();

    first.stop_pulling().await;
    // Longer than one lease.
    nothing_for(Duration::from_secs(13), &mut second).await;

    running.ack();
    assert_eq!(first.close(Duration::from_secs(5)).await, Closed::Clean);
    nothing_for(Duration::from_secs(1), &mut second).await;
}

async fn nothing_comes_after_pulling_has_stopped(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    publish_many(&queue, 3).await;
    next(&mut consumer).await.ack();
    consumer.stop_pulling().await;
    assert!(soon("the end", consumer.next()).await.is_none());
    consumer.stop_pulling().await;
    assert_eq!(consumer.close(Duration::from_secs(5)).await, Closed::Clean);
}

async fn a_leaked_lease_does_not_hold_up_the_end(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    queue.publish("forgotten").await;
    let leaked = next(&mut consumer).await;
    let budget = Duration::from_millis(500);
    assert_eq!(within(budget * 2, "the end", consumer.close(budget)).await, Closed::OutOfTime);
    drop(leaked);
}
